package sts

import (
	"cmp"
	"encoding/xml"
	"maps"
	"slices"
	"time"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// Limits of a role's sessions (API Reference, "AssumeRole"). One that is assumed with
// the credentials of another session lasts an hour at most.
const (
	usualSession   = time.Hour
	longestSession = 12 * time.Hour
	chainedSession = time.Hour
)

type assumeRoleResult struct {
	XMLName          xml.Name `xml:"AssumeRoleResult"`
	Credentials      credentials
	AssumedRoleUser  assumedRoleUser
	PackedPolicySize int
}

type credentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string // RFC 3339
}

type assumedRoleUser struct {
	AssumedRoleID string `xml:"AssumedRoleId"`
	Arn           inference.ARN
}

// assumeRole makes a session of a role for one of the principals who may assume it.
func (c *call) assumeRole() (any, error) {
	caller, err := c.credential()
	if err != nil {
		return nil, err
	}
	a, err := c.assumption()
	if err != nil {
		return nil, err
	}
	if !a.known || !slices.Contains(a.role.AssumedBy, caller.Principal.Name) {
		return nil, denied(caller.Principal, "sts:AssumeRole", a.arn)
	}
	if !a.mayTag() {
		return nil, denied(caller.Principal, "sts:TagSession", a.arn)
	}
	if err := a.checkDuration(); err != nil {
		return nil, err
	}
	if caller.Session != nil && a.life > chainedSession {
		return nil, front.Refuse(validationError, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	made, err := c.Issue(a.session(caller.Caller, c.Now(), nil))
	if err != nil {
		return nil, err
	}
	return assumeRoleResult{Credentials: credentialsOf(made), AssumedRoleUser: a.user()}, nil
}

// denied is IAM's refusal.
func denied(p inference.Principal, action string, resource inference.ARN) error {
	return front.Refuse(accessDenied, "User: "+string(p.ARN)+" is not authorized to perform: "+action+" on resource: "+string(resource))
}

// assumption is what both operations that assume a role are asked for.
type assumption struct {
	arn   inference.ARN
	role  Role
	known bool // there is such a role
	name  string
	life  time.Duration
	tags  map[string]string // that the caller sets
}

// assumption reads the parameters. That there is no such role is told only as that
// one may not assume it.
func (c *call) assumption() (a assumption, err error) {
	if err := c.form.checkCarried(); err != nil {
		return a, err
	}
	arn, err := c.form.text("RoleArn", maxRoleARN)
	if err != nil {
		return a, err
	}
	if roleName(inference.ARN(arn)) == "" {
		return a, front.Refuse(validationError, front.Clip(arn)+" is invalid")
	}
	a.arn = inference.ARN(arn)
	a.role, a.known = c.Roles(a.arn)
	if a.name, err = c.form.sessionName(); err != nil {
		return a, err
	}
	if a.tags, err = c.form.tags(); err != nil {
		return a, err
	}
	a.life, err = c.form.duration(min(usualSession, a.most()), longestSession)
	return a, err
}

// most is how long a session of the role may last.
func (a assumption) most() time.Duration { return cmp.Or(a.role.MaxSession, usualSession) }

func (a assumption) checkDuration() error {
	if a.life > a.most() {
		return front.Refuse(validationError, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return nil
}

// mayTag reports whether the role lets who assumes it set the tags that they set:
// what policies grant may hang on them.
func (a assumption) mayTag() bool {
	for key := range a.tags {
		if !slices.Contains(a.role.SessionTags, key) {
			return false
		}
	}
	return true
}

// session is the one that is asked for, with the caller behind it.
func (a assumption) session(caller inference.Caller, now time.Time, keys map[string][]string) inference.TemporarySession {
	tags := maps.Clone(a.role.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, a.tags)
	return inference.TemporarySession{
		Principal: a.role.Name,
		ARN:       a.user().Arn,
		Caller:    caller,
		Expires:   now.Add(a.life),
		Session:   inference.Session{Name: a.name, Issued: now, Tags: tags, Keys: keys},
	}
}

func (a assumption) user() assumedRoleUser {
	return assumedRoleUser{
		AssumedRoleID: roleName(a.arn) + ":" + a.name,
		Arn:           inference.ARN("arn:aws:sts::" + accountOf(a.arn) + ":assumed-role/" + roleName(a.arn) + "/" + a.name),
	}
}

func credentialsOf(t inference.TemporaryCredentials) credentials {
	return credentials{
		AccessKeyID:     t.AccessKeyID,
		SecretAccessKey: t.SecretAccessKey,
		SessionToken:    t.SessionToken,
		Expiration:      t.Expires.UTC().Format(time.RFC3339),
	}
}
