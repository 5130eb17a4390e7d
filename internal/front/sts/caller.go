package sts

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/xml"
	"strings"
	"time"

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
	account := accountOf(who)
	id := uniqueID("FWID", account, caller.Principal.Name)
	if role, session, ok := assumed(who); ok {
		id = roleID(account, role) + ":" + session
	}
	return callerIdentityResult{Arn: who, UserID: id, Account: account}, nil
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
		return nil, refuse(accessDenied, "Cannot call GetSessionToken with session credentials")
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
		Caller:    behind(caller),
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

// assumed is the role and the session's name in the ARN of a session of a role.
func assumed(a inference.ARN) (role, session string, ok bool) {
	parts, err := arn.Parse(string(a))
	rest, found := strings.CutPrefix(parts.Resource, "assumed-role/")
	if err != nil || !found || parts.Service != "sts" {
		return "", "", false
	}
	return strings.Cut(rest, "/")
}

// roleID is a role's unique id. As of keys, the prefix is not one of AWS's.
func roleID(account, role string) string { return uniqueID("FWRO", account, role) }

// uniqueID is made of a name alone, so that every server tells the same one.
func uniqueID(prefix, account, name string) string {
	sum := sha256.Sum256([]byte(account + "/" + name))
	return prefix + base32.StdEncoding.EncodeToString(sum[:10])
}
