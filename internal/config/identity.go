package config

import (
	"maps"
	"net/mail"
	"slices"
	"time"
)

// UserPool is the embedded user pool, beside what a folder's defineAuth says of it.
type UserPool struct {
	Enabled          bool     `yaml:"enabled"`            // in serve; dev has one for each folder with auth
	PasswordAuth     bool     `yaml:"password_auth"`      // clients may send passwords, also where the folder does not allow it
	SignUp           bool     `yaml:"sign_up"`            // users may add themselves, where the folder allows it
	AccessLife       Duration `yaml:"access_life"`        // of access tokens; 0 is the folder's, else 1h
	IDLife           Duration `yaml:"id_life"`            // of id tokens; 0 is the folder's, else 1h
	RefreshLife      Duration `yaml:"refresh_life"`       // of a sign-in; 0 is the folder's, else 30 days
	KeepRefreshToken bool     `yaml:"keep_refresh_token"` // a refresh token is not replaced when it is used
	Lockout          Lockout  `yaml:"lockout"`
	LogCodes         bool     `yaml:"log_codes"` // codes are logged; dev always does

	Principal string            `yaml:"principal"` // who its users are on the model doors; empty: nobody there
	ByGroup   map[string]string `yaml:"by_group"`  // principal by group, in place of Principal
}

// Lockout is what wrong passwords and codes of one user lead to.
type Lockout struct {
	Failures int      `yaml:"failures"` // in a row
	For      Duration `yaml:"for"`      // the first time; twice as long each time after
	MaxFor   Duration `yaml:"max_for"`
}

// IdentityPool is who callers are that have credentials of the embedded identity
// pool, by names of principals. The empty names are the folder's own roles,
// [fairway/backend.AuthenticatedRole] and [fairway/backend.GuestRole].
type IdentityPool struct {
	Guests        bool              `yaml:"guests"` // who did not sign in gets credentials too, where the folder allows it
	Authenticated string            `yaml:"authenticated"`
	Guest         string            `yaml:"guest"`
	ByGroup       map[string]string `yaml:"by_group"` // principal by group of the user pool, in place of Authenticated
}

// SMTP is the server that codes are mailed through.
type SMTP struct {
	Server   string   `yaml:"server"` // host:port, empty for none
	From     string   `yaml:"from"`   // "Fairway <codes@example.com>"
	Username string   `yaml:"username"`
	Password Secret   `yaml:"password"`
	TLS      SMTPTLS  `yaml:"tls"`
	Timeout  Duration `yaml:"timeout"` // of one message
}

// SMTPTLS is how a connection to a mail server is protected.
type SMTPTLS string

// The protections. NoTLS is for servers on this machine.
const (
	StartTLS    SMTPTLS = "starttls"
	ImplicitTLS SMTPTLS = "tls"
	NoTLS       SMTPTLS = "none"
)

// UnmarshalText reads one of the protections.
func (t *SMTPTLS) UnmarshalText(text []byte) error {
	return oneOf(t, text, StartTLS, ImplicitTLS, NoTLS)
}

// GraphQL is what the GraphQL API needs beside what the backend says.
type GraphQL struct {
	Authorizer    URL      `yaml:"authorizer"`     // answers for the function of the authorization mode AWS_LAMBDA; empty for none
	AuthorizerTTL Duration `yaml:"authorizer_ttl"` // at most, of its answers that do not say; a backend's own may be shorter
}

// Bounds of tokens' lives (Amazon Cognito API Reference, UserPoolClientType).
const (
	minTokenLife   = Duration(5 * time.Minute)
	maxTokenLife   = Duration(24 * time.Hour)
	minRefreshLife = Duration(time.Hour)
	maxRefreshLife = Duration(10 * 365 * 24 * time.Hour)
)

func (c *Config) validateUserPool(found *findings) {
	u := c.UserPool
	within := func(d, least, most Duration) bool { return d == 0 || d >= least && d <= most }
	found.check(within(u.AccessLife, minTokenLife, maxTokenLife), "user_pool.access_life", "want 5m to 24h, or 0s for what the folder says")
	found.check(within(u.IDLife, minTokenLife, maxTokenLife), "user_pool.id_life", "want 5m to 24h, or 0s for what the folder says")
	found.check(within(u.RefreshLife, minRefreshLife, maxRefreshLife), "user_pool.refresh_life", "want 1h to 87600h, or 0s for what the folder says")
	found.check(u.Lockout.Failures > 0, "user_pool.lockout.failures", "want at least 1, got %d", u.Lockout.Failures)
	found.positive(u.Lockout.For, "user_pool.lockout.for")
	found.beside("user_pool.lockout.for", u.Lockout.MaxFor >= u.Lockout.For, "user_pool.lockout.max_for", "want no less than user_pool.lockout.for")
	for _, n := range append(u.named(), c.IdentityPool.named()...) {
		found.principal(n.name, n.path)
	}
	_, empty := u.ByGroup[""]
	found.check(!empty, "user_pool.by_group", "want the name of a group before each principal")
	_, empty = c.IdentityPool.ByGroup[""]
	found.check(!empty, "identity_pool.by_group", "want the name of a group before each principal")
}

func (c *Config) validateMail(found *findings) {
	m := c.SMTP
	found.positive(m.Timeout, "smtp.timeout")
	found.check((m.Username == "") == (m.Password == ""), "smtp.username", "want smtp.username and smtp.password, or neither")
	if m.Server == "" {
		return
	}
	found.address(m.Server, "smtp.server")
	_, err := mail.ParseAddress(m.From)
	found.beside("smtp.server", err == nil, "smtp.from", `want the address that codes come from such as "codes@example.com", got %q`, m.From)
	found.check(m.TLS != NoTLS || isLoopback(m.Server), "smtp.tls", "want starttls or tls for a server on another machine, %s", m.Server)
}

// maxAuthorizerTTL is AppSync's (AppSync API Reference, LambdaAuthorizerConfig).
const maxAuthorizerTTL = Duration(time.Hour)

func (c *Config) validateGraphQL(found *findings) {
	found.secured(c.GraphQL.Authorizer, "graphql.authorizer")
	found.check(c.GraphQL.AuthorizerTTL >= 0 && c.GraphQL.AuthorizerTTL <= maxAuthorizerTTL, "graphql.authorizer_ttl", "want at most 1h, or 0s to ask each time")
}

// named is a principal that something else than itself names.
type named struct{ path, name string }

// named are the principals that the pool's users are.
func (u UserPool) named() []named {
	return namedBy("user_pool.by_group", u.ByGroup, named{"user_pool.principal", u.Principal})
}

// named are the principals that callers with credentials of the pool are.
func (p IdentityPool) named() []named {
	return namedBy("identity_pool.by_group", p.ByGroup, named{"identity_pool.authenticated", p.Authenticated}, named{"identity_pool.guest", p.Guest})
}

// namedBy are the principals by group at a path, and those of others that are named.
func namedBy(path string, groups map[string]string, others ...named) []named {
	all := slices.DeleteFunc(others, func(n named) bool { return n.name == "" })
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		all = append(all, named{path, groups[group]})
	}
	return all
}
