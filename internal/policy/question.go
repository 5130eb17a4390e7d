package policy

import (
	"slices"
	"strings"
	"time"

	"fairway/internal/inference"
)

// Question is one call as policies are asked about it, but for the resource.
type Question struct {
	Principal        string        // by name
	ARN              inference.ARN // of the session that calls, for denials; empty is the principal's own
	Action           string        // "bedrock:InvokeModel"
	Circumstances    inference.Circumstances
	Guardrail        string // that the request names, by id or ARN; empty for none
	GuardrailVersion string // "1", "DRAFT"
	ServiceTier      string // that the request asks for, empty where it does not
	Now              time.Time
}

// values are those of the condition keys that some policies ask for, in the order of
// their keys; nil for one that the call does not have.
type values [][]string

// keys are the condition keys that some policies ask for, each once, in lower case.
type keys []string

// index is the place of a key, which is added where it is new. Condition keys ignore
// case.
func (k *keys) index(name string) int {
	name = strings.ToLower(name)
	i := slices.Index(*k, name)
	if i < 0 {
		i = len(*k)
		*k = append(*k, name)
	}
	return i
}

// facts are all that condition keys may be about, but for the region, which is
// another for each resource.
type facts struct {
	*Question
	policies *Policies
	profile  *inference.Profile
}

// context is what the policies ask of a call. The value of aws:RequestedRegion is for
// evaluate to set.
func (p *Policies) context(q Question, profile inference.Profile) values {
	f := facts{&q, p, &profile}
	v := make(values, len(p.keys))
	for i, key := range p.sources {
		v[i] = key.values(&f)
	}
	return v
}
