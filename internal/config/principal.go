package config

import (
	"fmt"
	"regexp"

	"fairway/internal/inference"
)

// Account is an AWS account whose quotas calls of real regions may use.
type Account struct {
	ID         string             `yaml:"id"`          // twelve digits
	Role       inference.ARN      `yaml:"role"`        // that is assumed there
	ExternalID Secret             `yaml:"external_id"` // that the role asks for, empty for none
	Regions    []inference.Region `yaml:"regions"`     // that are called with it; none is all
}

// Principal is who may call, how it proves itself, and what it may do.
type Principal struct {
	Name       string        `yaml:"name"` // unique
	ARN        inference.ARN `yaml:"arn"`  // default: the user NAME of the configured account
	AccessKeys []AccessKey   `yaml:"access_keys"`
	BearerKeys []BearerKey   `yaml:"bearer_keys"`
	Policies   []Document    `yaml:"policies"`  // identity-based
	Boundary   Document      `yaml:"boundary"`  // permissions boundary; zero is none
	Residency  Residency     `yaml:"residency"` // where its calls have to stay, whatever their route
}

// AccessKey is a key pair that signs requests.
type AccessKey struct {
	ID     string    `yaml:"id"`
	Secret KeySecret `yaml:"secret"`
}

// complete puts in what follows from other values.
func (c *Config) complete() {
	for i := range c.Principals {
		if p := &c.Principals[i]; p.ARN == "" {
			p.ARN = inference.ARN("arn:aws:iam::" + c.Account + ":user/" + p.Name)
		}
	}
}

var (
	nameForm      = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)                                       // IAM's, of users and roles
	principalForm = regexp.MustCompile(`^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:[\w+=,.@/-]{1,512}$`) // of a user, role or session
	roleForm      = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}$`)
	keyIDForm     = regexp.MustCompile(`^\w{16,128}$`) // IAM's
)

func validateAccounts(found *findings, accounts []Account) {
	ids := map[string]bool{}
	for i, a := range accounts {
		path := fmt.Sprintf("accounts[%d]", i)
		found.account(a.ID, path+".id")
		unique(found, ids, a.ID, path+".id")
		found.check(roleForm.MatchString(string(a.Role)), path+".role", `want the ARN of a role such as "arn:aws:iam::111122223333:role/fairway", got %q`, a.Role)
		for _, r := range a.Regions {
			found.region(r, path+".regions")
		}
	}
}

// validatePrincipals also finds what two principals must not share.
func (c *Config) validatePrincipals(found *findings) {
	names, ids, bearers := map[string]bool{}, map[string]bool{}, map[BearerKey]bool{}
	for i, p := range c.Principals {
		path := fmt.Sprintf("principals[%d]", i)
		found.check(nameForm.MatchString(p.Name), path+".name", "want up to 64 letters, digits and any of _+=,.@-, got %q", p.Name)
		unique(found, names, p.Name, path+".name")
		found.check(principalForm.MatchString(string(p.ARN)), path+".arn", `want the ARN of a user or role such as "arn:aws:iam::123456789012:role/checkout", got %q`, p.ARN)
		found.residency(p.Residency, path+".residency")
		for j, key := range p.AccessKeys {
			path := fmt.Sprintf("%s.access_keys[%d]", path, j)
			found.check(keyIDForm.MatchString(key.ID), path+".id", "want 16 to 128 letters and digits, got %q", key.ID)
			unique(found, ids, key.ID, path+".id")
			found.check(key.Secret != "", path+".secret", "want the secret that the key signs with")
			found.check(!key.Secret.Sealed() || c.Master != "", path+".secret", "want a master_key, which opens what is sealed")
		}
		for _, key := range p.BearerKeys {
			unique(found, bearers, key, path+".bearer_keys")
		}
	}
}

// unique finds a value that was seen before.
func unique[V ~string](found *findings, seen map[V]bool, value V, path string) {
	found.check(!seen[value], path, "%q is there twice", value)
	seen[value] = true
}
