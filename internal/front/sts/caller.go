package sts

import (
	"cmp"
	"encoding/xml"
	"strings"
	"time"

	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

type callerIdentityResult struct {
	XMLName xml.Name `xml:"GetCallerIdentityResult"`
	Arn     inference.ARN
	UserID  string `xml:"UserId"`
	Account string
}

// getCallerIdentity tells who signed. Nobody needs leave to ask it.
func (c *call) getCallerIdentity() (any, error) {
	caller, err := c.credential()
	if err != nil {
		return nil, err
	}
	who := caller.Principal.ARN
	return callerIdentityResult{Arn: who, UserID: userID(caller), Account: accountOf(who)}, nil
}

type sessionTokenResult struct {
	XMLName     xml.Name `xml:"GetSessionTokenResult"`
	Credentials credentials
}

// Limits of a session of a principal of its own (API Reference, "GetSessionToken").
const (
	usualToken   = 12 * time.Hour
	longestToken = 36 * time.Hour
)

// getSessionToken makes a session of whoever signed with credentials that last.
func (c *call) getSessionToken() (any, error) {
	caller, err := c.credential()
	if err != nil {
		return nil, err
	}
	if caller.Session != nil {
		return nil, front.Refuse(accessDenied, "Cannot call GetSessionToken with session credentials")
	}
	if err := c.form.checkCarried(); err != nil {
		return nil, err
	}
	life, err := c.form.duration(usualToken, longestToken)
	if err != nil {
		return nil, err
	}
	now := c.Now()
	made, err := c.Issue(inference.TemporarySession{
		Principal: caller.Principal.Name,
		ARN:       caller.Principal.ARN,
		Caller:    caller.Caller,
		Expires:   now.Add(life),
		Session:   inference.Session{Issued: now},
	})
	if err != nil {
		return nil, err
	}
	return sessionTokenResult{Credentials: credentialsOf(made)}, nil
}

// accountOf is the account in an ARN, empty where there is none.
func accountOf(a inference.ARN) string {
	parts, err := arn.Parse(string(a))
	if err != nil {
		return ""
	}
	return parts.Account
}

// roleName is the last segment of a role's ARN, without its path; empty for every
// other ARN.
func roleName(a inference.ARN) string {
	parts, err := arn.Parse(string(a))
	path, ok := strings.CutPrefix(parts.Resource, "role/")
	if err != nil || !ok || parts.Service != "iam" {
		return ""
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

// userID is what policies know as aws:userid: ROLE:SESSION, the name of a user, the
// account of its root. The ids that AWS makes up for users and roles do not exist here.
func userID(c inference.Credential) string {
	if role, session, ok := arn.AssumedRole(string(c.Principal.ARN)); ok {
		return role + ":" + session
	}
	if role := roleName(c.Principal.ARN); role != "" {
		session := c.Principal.Name
		if c.Session != nil {
			session = cmp.Or(c.Session.Name, session)
		}
		return role + ":" + session
	}
	parts, err := arn.Parse(string(c.Principal.ARN))
	kind, name, _ := strings.Cut(parts.Resource, "/")
	switch {
	case err == nil && kind == "user":
		return name[strings.LastIndexByte(name, '/')+1:]
	case err == nil && kind == "root":
		return parts.Account
	}
	return ""
}
