package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

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

	Tags        map[string]string `yaml:"tags"`         // aws:PrincipalTag/NAME of policies
	AssumedBy   []string          `yaml:"assumed_by"`   // names of principals that may take on this role
	Issuers     []URL             `yaml:"issuers"`      // whose tokens may take on this role
	SessionTags []string          `yaml:"session_tags"` // keys of tags that who takes it on may set; a condition may hang on them
	MaxSession  Duration          `yaml:"max_session"`  // of those that take on this role; default 1h
	Budget      string            `yaml:"budget"`       // name of the budget that its calls are charged to, empty for none
}

// AccessKey is a key pair that signs requests.
type AccessKey struct {
	ID     string    `yaml:"id"`
	Secret KeySecret `yaml:"secret"`
}

// complete puts in what follows from other values.
func (l *loader) complete() {
	for i := range l.config.Principals {
		p := &l.config.Principals[i]
		if p.ARN == "" {
			p.ARN = inference.ARN("arn:aws:iam::" + l.config.Account + ":user/" + p.Name)
		}
		if p.IsRole() {
			l.unwritten(fmt.Sprintf("principals[%d].max_session", i), &p.MaxSession, time.Hour) // IAM's default
		}
	}
	l.completeBudgets()
	for i := range l.config.Issuers {
		l.config.Issuers[i].complete()
		l.unwritten(fmt.Sprintf("issuers[%d].leeway", i), &l.config.Issuers[i].Leeway, 30*time.Second)
	}
}

// unwritten sets a duration of a listing that no file gives.
func (l *loader) unwritten(path string, d *Duration, value time.Duration) {
	if l.origins[path] == "" {
		*d = Duration(value)
	}
}

// IsRole reports whether p is a role, which others may take on.
func (p *Principal) IsRole() bool { return roleForm.MatchString(string(p.ARN)) }

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
		validateTags(found, p.Tags, path+".tags")
		c.validateRole(found, &p, path)
		found.check(p.Budget == "" || nameForm.MatchString(p.Budget), path+".budget", "want up to 64 letters, digits and any of _+=,.@-, got %q", p.Budget)
	}
}

// Bounds of sessions (STS API Reference, AssumeRole, DurationSeconds).
const (
	minSession = Duration(15 * time.Minute)
	maxSession = Duration(12 * time.Hour)
)

// validateRole finds what is wrong with who may take on p, and for how long.
func (c *Config) validateRole(found *findings, p *Principal, path string) {
	const role = `want the arn of a role such as "arn:aws:iam::123456789012:role/checkout" for what others may take on`
	if !p.IsRole() {
		found.check(len(p.AssumedBy) == 0, path+".assumed_by", role)
		found.check(len(p.Issuers) == 0, path+".issuers", role)
		found.check(len(p.SessionTags) == 0, path+".session_tags", role)
		found.check(p.MaxSession == 0, path+".max_session", role)
		return
	}
	for _, name := range p.AssumedBy {
		found.principal(name, path+".assumed_by")
	}
	for _, key := range p.SessionTags {
		found.check(tagKeyForm.MatchString(key), path+".session_tags", "want keys of tags, got %q", key)
	}
	for _, u := range p.Issuers {
		known := slices.ContainsFunc(c.Issuers, func(i Issuer) bool { return i.URL == u })
		found.check(known, path+".issuers", "want the url of one of the issuers, got %q", u)
	}
	found.check(p.MaxSession >= minSession && p.MaxSession <= maxSession, path+".max_session", "want 15m to 12h")
}

// maxTags is how many tags IAM allows a principal.
const maxTags = 50

var (
	tagKeyForm   = regexp.MustCompile(`^[\pL\pZ\pN_.:/=+@-]{1,128}$`) // IAM's
	tagValueForm = regexp.MustCompile(`^[\pL\pZ\pN_.:/=+@-]{0,256}$`)
)

func validateTags(found *findings, tags map[string]string, path string) {
	found.check(len(tags) <= maxTags, path, "want at most %d tags", maxTags)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		ok := tagKeyForm.MatchString(key) && tagValueForm.MatchString(tags[key])
		found.check(ok, path, "want letters, digits, spaces and any of _.:/=+-@ in a tag, got %q=%q", key, tags[key])
	}
}

// principal finds a name that no principal could have.
func (found *findings) principal(name, path string) {
	found.check(nameForm.MatchString(name), path, "want the name of a principal, got %q", name)
}

// unique finds a value that was seen before.
func unique[V ~string](found *findings, seen map[V]bool, value V, path string) {
	found.check(!seen[value], path, "%q is there twice", value)
	seen[value] = true
}
