package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"time"

	"fairway/backend"
	"fairway/internal/auth"
	"fairway/internal/config"
	"fairway/internal/front/cognito"
	"fairway/internal/identitypool"
	"fairway/internal/inference"
	"fairway/internal/mail"
	"fairway/internal/outputs"
	"fairway/internal/userpool"
)

// identities are who callers may turn out to be, as long as the server lives.
type identities struct {
	userPool     *userpool.Pool     // nil where there is none
	identityPool *identitypool.Pool // beside it
	cognito      *cognito.Front     // the door of both
	tester       userpool.Login     // in development
	sessions     *auth.Sessions     // temporary credentials
	keySets      map[string]auth.KeySet
	tokens       func(context.Context, string) (inference.Identity, error) // by the configuration served now
}

// openIdentities opens the pools and what temporary credentials are made with.
func (s *Server) openIdentities(ctx context.Context, o Options) error {
	secret, err := s.store.Secret(ctx, "sessions", newSecret)
	if err != nil {
		return fmt.Errorf("open sessions: %w", err)
	}
	s.identities = identities{
		sessions: auth.NewSessions(secret, s.now),
		keySets:  map[string]auth.KeySet{},
		tokens: func(ctx context.Context, token string) (inference.Identity, error) {
			return s.app.Load().tokens.Verify(ctx, token)
		},
	}
	if s.explains || !s.development && !o.Config.UserPool.Enabled {
		return nil
	}
	if err := s.openUserPool(ctx, o); err != nil {
		return fmt.Errorf("open user pool: %w", err)
	}
	return s.openIdentityPool(ctx, o)
}

func newSecret() []byte {
	b := make([]byte, 32)
	rand.Read(b) // never fails, see crypto/rand
	return b
}

func (s *Server) openUserPool(ctx context.Context, o Options) error {
	courier, err := s.courier(o.Config)
	if err != nil {
		return err
	}
	s.userPool, err = userpool.New(ctx, userpool.Options{
		Region: s.region, BaseURL: s.baseURL, Store: s.store, Settings: poolSettings(o.Config, authOf(o.Backend)),
		Courier: courier, Log: s.log, Now: s.now,
	})
	if err != nil {
		return err
	}
	if !s.development { // whose outputs say it
		s.log.Info("user pool opened", "user_pool_id", s.userPool.ID(), "client_id", s.userPool.ClientID(), "identity_pool_id", s.userPool.IdentityPoolID())
		return nil
	}
	if s.tester, err = s.userPool.TestUser(ctx, s.keys.TestUser); err != nil {
		return err
	}
	s.keys.TestUser = s.tester
	return s.keys.write(o.State)
}

func (s *Server) openIdentityPool(ctx context.Context, o Options) error {
	secret, err := s.store.Secret(ctx, "identity pool "+s.userPool.IdentityPoolID(), newSecret)
	if err != nil {
		return fmt.Errorf("open identity pool: %w", err)
	}
	s.identityPool = identitypool.New(identitypool.Options{
		ID: s.userPool.IdentityPoolID(), Account: s.account, Secret: secret, Now: s.now,
		Settings: s.identitySettings(o.Config, o.Backend),
		Verify:   s.tokens, Issue: s.sessions.Issue,
	})
	s.cognito = cognito.New(cognito.Config{Users: s.userPool, Identities: s.identityPool, Log: s.log, Now: s.now})
	return nil
}

// closeIdentities ends what the pools run.
func (s *Server) closeIdentities() error {
	if s.userPool == nil {
		return nil
	}
	return s.userPool.Close()
}

// configureIdentities has the pools follow c and b from now on.
func (s *Server) configureIdentities(c *config.Config, b *backend.Backend) {
	if s.userPool == nil {
		return
	}
	s.userPool.Configure(poolSettings(c, authOf(b)))
	s.identityPool.Configure(s.identitySettings(c, b))
}

func authOf(b *backend.Backend) *backend.Auth {
	if b == nil {
		return nil
	}
	return b.Auth
}

// poolSettings are those of a, what defineAuth says, within what c allows.
func poolSettings(c *config.Config, a *backend.Auth) userpool.Settings {
	a = cmp.Or(a, &backend.Auth{Email: true, RequiredAttributes: []string{"email"}, VerificationTypes: []string{"email"}})
	own := c.UserPool
	policy := a.PasswordPolicy()
	s := userpool.Settings{
		AutoVerify: a.VerificationTypes, Required: a.RequiredAttributes, Groups: a.Groups,
		Password:     userpool.PasswordPolicy{MinLength: policy.MinLength, Lower: policy.Lower, Upper: policy.Upper, Digit: policy.Numbers, Symbol: policy.Symbols},
		PasswordAuth: a.PasswordAuth || own.PasswordAuth,
		AdminOnly:    a.AdminOnly || !own.SignUp,
		MFA:          map[string]userpool.MFA{"OPTIONAL": userpool.MFAOptional, "ON": userpool.MFARequired}[a.MFA],
		MFAMethods:   a.MFAMethods,
		Recovery:     a.RecoveryAttributes(),
		Verification: userpool.Text(a.VerificationText()),
		SMS:          userpool.Text{Body: a.SMSText()},

		AccessLife:       cmp.Or(time.Duration(own.AccessLife), a.AccessLife),
		IDLife:           cmp.Or(time.Duration(own.IDLife), a.IDLife),
		RefreshLife:      cmp.Or(time.Duration(own.RefreshLife), a.RefreshLife),
		KeepRefreshToken: own.KeepRefreshToken,
		Lockout:          userpool.Lockout{Failures: own.Lockout.Failures, For: time.Duration(own.Lockout.For), MaxFor: time.Duration(own.Lockout.MaxFor)},
	}
	for _, at := range a.Attributes {
		s.Attributes = append(s.Attributes, userpool.AttributeSchema{
			Name: at.Name, Type: userpool.AttributeType(at.Type), Mutable: at.Mutable, Min: at.Min, Max: at.Max,
		})
	}
	if a.Email && !a.Username {
		s.SignInBy = append(s.SignInBy, "email")
	}
	if a.Phone && !a.Username {
		s.SignInBy = append(s.SignInBy, "phone_number")
	}
	return s
}

// identitySettings are those of the identity pool: its roles are the configuration's,
// else the folder's own.
func (s *Server) identitySettings(c *config.Config, b *backend.Backend) identitypool.Settings {
	own := c.IdentityPool
	settings := identitypool.Settings{
		Issuers:       []string{s.userPool.Issuer()},
		Authenticated: own.Authenticated, Guest: own.Guest, ByGroup: map[string]string{},
		AllowGuests: own.Guests,
	}
	for _, i := range c.Issuers {
		if i.Mode == config.UserPoolIssuer {
			settings.Issuers = append(settings.Issuers, string(i.URL))
		}
	}
	if a := authOf(b); a != nil {
		settings.Authenticated = cmp.Or(own.Authenticated, backend.AuthenticatedRole)
		settings.Guest = cmp.Or(own.Guest, backend.GuestRole)
		settings.AllowGuests = own.Guests && a.AllowGuests
		for _, group := range a.Groups {
			settings.ByGroup[group] = backend.GroupRole(group)
		}
	}
	for group, principal := range own.ByGroup {
		settings.ByGroup[group] = principal
	}
	return settings
}

// elsewhere is the user pool of c whose users the GraphQL API takes: the first issuer of
// that kind, which Amplify finds by itself.
func elsewhere(c *config.Config) outputs.UserPool {
	for _, i := range c.Issuers {
		if i.Mode == config.UserPoolIssuer && len(i.Audiences) > 0 {
			return outputs.UserPool{ID: path.Base(string(i.URL)), ClientID: i.Audiences[0]}
		}
	}
	return outputs.UserPool{}
}

// issuers are whose tokens are accepted: the pool's, those of c, and the OIDC provider
// of the backend.
func (s *Server) issuers(c *config.Config, b *backend.Backend) ([]auth.Issuer, error) {
	var all []auth.Issuer
	if s.userPool != nil {
		own := auth.Issuer{
			Issuer: s.userPool.Issuer(), Mode: string(backend.UserPool), Keys: auth.RSAKeys(s.userPool.PublicKey),
			Audiences: []string{s.userPool.ClientID()}, Revoked: s.userPool.Revoked,
			Principal: c.UserPool.Principal, ByGroup: c.UserPool.ByGroup,
		}
		if namesUsers(c) {
			own.Address = s.userPool.Email // an access token has no address
		}
		all = append(all, own)
	}
	for _, i := range c.Issuers {
		all = append(all, auth.Issuer{
			Issuer: string(i.URL), Mode: string(issuerMode(i.Mode)), Keys: s.keySet(string(i.URL), string(i.JWKS)),
			Audiences: i.Audiences, TokenUse: i.TokenUse, Leeway: time.Duration(i.Leeway), Claims: i.Claims,
			GroupsClaim: i.GroupsClaim, Principal: i.Principal, ByGroup: i.ByGroup,
		})
	}
	if b == nil || b.Authorization.OIDC == nil {
		return all, nil
	}
	for _, i := range all {
		if i.Issuer == b.Authorization.OIDC.Issuer {
			return all, nil // the configuration says more of it
		}
	}
	provider, err := s.provider(b.Authorization.OIDC)
	return append(all, provider), err
}

// warnOfModes says which modes of the API let nobody in, for want of a setting.
func (s *Server) warnOfModes(c *config.Config, b *backend.Backend, issuers []auth.Issuer) {
	if b == nil {
		return
	}
	warn := func(mode backend.Mode, remedy string) {
		s.log.Warn("nobody can come by this mode of the GraphQL API", "mode", string(mode), "remedy", remedy)
	}
	signsIn := slices.ContainsFunc(issuers, func(i auth.Issuer) bool { return i.Mode == string(backend.UserPool) })
	if b.Authorization.Allows(backend.UserPool) && !signsIn {
		warn(backend.UserPool, "name the pool under issuers, or set user_pool.enabled")
	}
	if b.Authorization.Allows(backend.Lambda) && c.GraphQL.Authorizer == "" {
		warn(backend.Lambda, "set graphql.authorizer")
	}
}

// provider is the backend's OIDC provider as an issuer.
func (s *Server) provider(o *backend.OIDCProvider) (auth.Issuer, error) {
	i := auth.Issuer{Issuer: o.Issuer, Mode: string(backend.OIDC), Keys: s.keySet(o.Issuer, ""), AuthTTL: o.AuthTTL, IatTTL: o.IatTTL}
	if err := auth.CheckURL(o.Issuer); err != nil {
		return i, fmt.Errorf("oidcAuthorizationMode: %w", err)
	}
	if o.ClientID == "" {
		return i, nil
	}
	var err error
	if i.Client, err = regexp.Compile(`^(?:` + o.ClientID + `)$`); err != nil {
		return i, fmt.Errorf("oidcAuthorizationMode: clientId: %w", err)
	}
	return i, nil
}

// keySet is the published keys of an issuer, which outlive a reload. Only assemble
// asks for it.
func (s *Server) keySet(issuer, jwks string) auth.KeySet {
	id := issuer + " " + jwks
	known, ok := s.keySets[id]
	switch {
	case ok:
		return known
	case jwks != "":
		known = auth.NewJWKS(jwks, nil, s.now)
	default:
		known = auth.Discover(issuer, nil, s.now)
	}
	s.keySets[id] = known
	return known
}

func issuerMode(m config.IssuerMode) backend.Mode {
	if m == config.UserPoolIssuer {
		return backend.UserPool
	}
	return backend.OIDC
}

// courier carries codes as c says; nil where it says nothing.
func (s *Server) courier(c *config.Config) (userpool.Courier, error) {
	var all couriers
	if s.development || c.UserPool.LogCodes {
		all.log = mail.NewLog(s.log)
	}
	if c.SMTP.Server == "" {
		if all.log == nil {
			return nil, nil
		}
		return all.log, nil
	}
	password := ""
	if c.SMTP.Password != "" {
		var err error
		if password, err = c.SMTP.Password.Read(s.env); err != nil {
			return nil, fmt.Errorf("%w: smtp.password: %w", ErrConfig, err)
		}
	}
	var err error
	all.smtp, err = mail.NewSMTP(mail.Options{
		Address: c.SMTP.Server, From: c.SMTP.From, Username: c.SMTP.Username, Password: password,
		Security: mail.Security(c.SMTP.TLS), Timeout: time.Duration(c.SMTP.Timeout), Now: s.now,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return all, nil
}

// couriers log a code, where that is wanted, and mail it.
type couriers struct {
	log  *mail.Log // nil logs none
	smtp *mail.SMTP
}

// Deliver fails when the code has reached nobody.
func (c couriers) Deliver(ctx context.Context, m mail.Message) error {
	var logged error = errors.New("codes are not logged")
	if c.log != nil {
		logged = c.log.Deliver(ctx, m)
	}
	if m.Medium != mail.Email && logged == nil {
		return nil
	}
	return c.smtp.Deliver(ctx, m)
}
