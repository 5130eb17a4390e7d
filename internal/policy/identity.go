package policy

import (
	"cmp"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// identity is what condition keys tell of a principal, by its ARN. A key that such a
// principal does not have is empty.
type identity struct {
	arn      inference.ARN // of a session that of its role
	account  string
	kind     string // aws:PrincipalType
	username string // of users only
	role     string // name of the role
	session  string // of the principal itself, in whose ARN it is
}

// The kinds of principals (User Guide, "aws:PrincipalType").
const (
	assumedRole = "AssumedRole"
	user        = "User"
	root        = "Account"
)

// identify reads the ARN of a principal; an account that it does not have is the
// server's.
func identify(of inference.ARN, account string) identity {
	a, err := arn.Parse(string(of))
	if err != nil {
		return identity{arn: of, account: account}
	}
	id := identity{arn: of, account: cmp.Or(a.Account, account)}
	if role, session, ok := arn.AssumedRole(string(of)); ok {
		id.kind, id.role, id.session = assumedRole, role, session
		a.Service, a.Resource = "iam", "role/"+role
		id.arn = inference.ARN(a.String())
		return id
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	last := name[strings.LastIndexByte(name, '/')+1:] // after the path
	switch {
	case kind == "role":
		id.kind, id.role = assumedRole, last
	case kind == "user":
		id.kind, id.username = user, last
	case kind == "root":
		id.kind = root
	}
	return id
}

// userID is aws:userid: ROLE:SESSION, the name of a user, the account of its root.
// The ids that AWS makes up for users and roles do not exist here.
func (id *identity) userID(q *Question) string {
	if role, session, ok := arn.AssumedRole(string(q.ARN)); ok {
		return role + ":" + session
	}
	switch id.kind {
	case assumedRole:
		return id.role + ":" + cmp.Or(q.session(), id.session, q.Principal)
	case root:
		return id.account
	}
	return id.username
}

// caller is the principal of a call as denials name it: a role by its session.
func (id *identity) caller(own inference.ARN, q *Question) inference.ARN {
	session := q.session()
	switch {
	case q.ARN != "":
		return q.ARN
	case id.kind == assumedRole && session != "":
		return inference.ARN("arn:aws:sts::" + id.account + ":assumed-role/" + id.role + "/" + session)
	}
	return own
}

// session is the name of the session that calls, empty where none does.
func (q *Question) session() string {
	if s := q.Circumstances.Session; s != nil {
		return s.Name
	}
	return ""
}
