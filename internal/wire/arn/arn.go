// Package arn takes Amazon Resource Names apart and puts them together. It knows
// the six fields and nothing of any service.
package arn

import (
	"errors"
	"strings"
)

// ARN is an Amazon Resource Name by its fields. Region and Account are empty for
// resources that have none; Resource may itself contain colons. Any field may
// hold wildcards: this package gives them no meaning.
type ARN struct {
	Partition string // "aws", "aws-us-gov", "aws-cn"
	Service   string // "bedrock"
	Region    string
	Account   string // twelve digits
	Resource  string // "foundation-model/anthropic.claude-v2:1"
}

// ErrMalformed is what Parse answers to anything that lacks the "arn" prefix or
// one of the fields that every ARN has.
var ErrMalformed = errors.New("malformed ARN, want arn:partition:service:region:account:resource")

// Parse reads an ARN. The partition, service and resource must not be empty. For
// every s it accepts, the result's String is s.
func Parse(s string) (ARN, error) {
	var a ARN
	rest, ok := strings.CutPrefix(s, "arn:")
	for _, field := range [...]*string{&a.Partition, &a.Service, &a.Region, &a.Account} {
		if !ok {
			return ARN{}, ErrMalformed
		}
		*field, rest, ok = strings.Cut(rest, ":")
	}
	if a.Resource = rest; !ok || a.Partition == "" || a.Service == "" || a.Resource == "" {
		return ARN{}, ErrMalformed
	}
	return a, nil
}

// String is the ARN's text form.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// AssumedRole is the role and the name of the session in the ARN of a role's session,
// "arn:aws:sts::123456789012:assumed-role/writer/tty1". It reports false for every other
// text.
func AssumedRole(s string) (role, session string, ok bool) {
	a, err := Parse(s)
	rest, ok := strings.CutPrefix(a.Resource, "assumed-role/")
	if err != nil || !ok || a.Service != "sts" {
		return "", "", false
	}
	return strings.Cut(rest, "/")
}
