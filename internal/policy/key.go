package policy

import (
	"strconv"
	"strings"
	"time"

	"fairway/internal/inference"
)

// key is where a condition key has its values from.
type key struct {
	values func(*facts) []string // nil when the call has none
	steady bool                  // the same for every call of a principal on a profile
}

const requestedRegion = "aws:requestedregion"

// keyTable is the keys that calls have (IAM User Guide, "AWS global condition context
// keys"; Service Authorization Reference, "Amazon Bedrock"), by name in lower case.
var keyTable = map[string]key{
	requestedRegion:              {func(*facts) []string { return make([]string, 1) }, true}, // set for each resource
	"aws:principalarn":           {func(f *facts) []string { return one(string(f.policies.identity.arn)) }, true},
	"aws:principalaccount":       {func(f *facts) []string { return one(f.policies.identity.account) }, true},
	"aws:principaltype":          {func(f *facts) []string { return one(f.policies.identity.kind) }, true},
	"aws:username":               {func(f *facts) []string { return one(f.policies.identity.username) }, true},
	"aws:principalisawsservice":  {never, true},
	"aws:viaawsservice":          {never, true},
	"aws:userid":                 {func(f *facts) []string { return one(f.policies.identity.userID(f.Question)) }, false},
	"aws:sourceip":               {func(f *facts) []string { return one(f.Circumstances.SourceIP) }, false},
	"aws:useragent":              {func(f *facts) []string { return one(f.Circumstances.UserAgent) }, false},
	"aws:securetransport":        {func(f *facts) []string { return one(strconv.FormatBool(isSecure(f.Circumstances))) }, false},
	"aws:currenttime":            {func(f *facts) []string { return instant(f.Now) }, false},
	"aws:epochtime":              {func(f *facts) []string { return one(strconv.FormatInt(f.Now.Unix(), 10)) }, false},
	"aws:tokenissuetime":         {func(f *facts) []string { return instant(issued(f)) }, false},
	"aws:multifactorauthpresent": {multiFactor, false},
	"bedrock:inferenceprofilearn": {func(f *facts) []string {
		if f.profile.ID == "" {
			return nil
		}
		return one(string(f.profile.ARN))
	}, true},
	"bedrock:promptrouterarn": {func(f *facts) []string {
		if !strings.Contains(string(f.profile.ARN), "prompt-router/") {
			return nil
		}
		return one(string(f.profile.ARN))
	}, true},
	"bedrock:guardrailidentifier": {guardrail, false},
	"bedrock:servicetier":         {func(f *facts) []string { return one(f.ServiceTier) }, false},
	"bedrock:bearertokentype":     {func(f *facts) []string { return one(f.Circumstances.BearerType) }, false},
}

// keyOf is where the key of that name has its values from. What the table does not
// have may be one of a session, such as cognito-identity.amazonaws.com:sub.
func keyOf(name string) key {
	if k, ok := keyTable[name]; ok {
		return k
	}
	if tag, ok := strings.CutPrefix(name, "aws:principaltag/"); ok {
		return key{values: func(f *facts) []string { return principalTag(f, tag) }}
	}
	return key{values: func(f *facts) []string { return ofSession(f, name) }}
}

// one is the values of a key that has one; the empty value is none.
func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func never(*facts) []string { return []string{"false"} }

// instant is a time as the service writes it.
func instant(t time.Time) []string {
	if t.IsZero() {
		return nil
	}
	return []string{t.UTC().Format(time.RFC3339)}
}

// isSecure: a call inside the process stands for one of a data source, which AWS makes
// over TLS, and is on no wire.
func isSecure(c inference.Circumstances) bool { return c.Secure || c.SourceIP == "" }

func issued(f *facts) time.Time {
	if s := f.Circumstances.Session; s != nil {
		return s.Issued
	}
	return time.Time{}
}

// multiFactor: the key is there for temporary credentials only, those of a role among
// them.
func multiFactor(f *facts) []string {
	if found := ofSession(f, "aws:multifactorauthpresent"); found != nil {
		return found
	}
	if f.Circumstances.Session == nil && f.policies.identity.kind != assumedRole {
		return nil
	}
	return []string{"false"}
}

// ofSession is a key of the session's own.
func ofSession(f *facts, name string) []string {
	if s := f.Circumstances.Session; s != nil {
		for key, found := range s.Keys {
			if strings.EqualFold(key, name) {
				return found
			}
		}
	}
	return nil
}

// principalTag is a tag of the session, else of the principal. The names of tags
// ignore case here.
func principalTag(f *facts, tag string) []string {
	find := func(tags map[string]string) []string {
		for name, value := range tags {
			if strings.EqualFold(name, tag) {
				return []string{value}
			}
		}
		return nil
	}
	if s := f.Circumstances.Session; s != nil {
		if found := find(s.Tags); found != nil {
			return found
		}
	}
	return find(f.policies.tags)
}

// guardrail is the ARN of the call's guardrail, with its version unless that is the
// working draft (User Guide, "Permissions to use guardrails").
func guardrail(f *facts) []string {
	if f.Guardrail == "" {
		return nil
	}
	named := f.Guardrail
	if !strings.HasPrefix(named, "arn:") {
		named = "arn:aws:bedrock:" + string(f.profile.SourceRegion) + ":" + f.policies.account + ":guardrail/" + named
	}
	if v := f.GuardrailVersion; v != "" && v != "DRAFT" {
		named += ":" + v
	}
	return []string{named}
}
