package identitypool

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/backend"
	"fairway/internal/inference"
)

const (
	poolID   = "ap-southeast-1:0d3b6a52-7e14-4c8f-9b0a-5f6e7d8c9a01"
	issuer   = "http://127.0.0.1:20002/ap-southeast-1_Local1234"
	provider = "127.0.0.1:20002/ap-southeast-1_Local1234"
	account  = "123456789012"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 387e6, time.UTC)

// tokens are what verify knows.
var tokens = map[string]inference.Identity{
	"ana":    user("ana", nil),
	"admin":  user("root", []string{"readers", "admins", "editors"}),
	"access": {Mode: string(backend.UserPool), Issuer: issuer, Caller: inference.Caller{ID: "ana"}, Claims: map[string]any{"token_use": "access"}},
	"none":   {Mode: string(backend.UserPool), Issuer: issuer, Caller: inference.Caller{ID: "ana"}},
	"nobody": {Mode: string(backend.UserPool), Issuer: issuer, Claims: map[string]any{"token_use": "id"}},
	"other":  {Mode: string(backend.UserPool), Issuer: "https://example.com/pool", Caller: inference.Caller{ID: "ana"}, Claims: map[string]any{"token_use": "id"}},
	"https":  {Mode: string(backend.UserPool), Issuer: strings.Replace(issuer, "http:", "https:", 1), Caller: inference.Caller{ID: "ana"}, Claims: map[string]any{"token_use": "id"}},
	"oidc":   {Mode: string(backend.OIDC), Issuer: "https://id.example.com", Caller: inference.Caller{ID: "ana"}, Claims: map[string]any{}},
}

func user(sub string, groups []string) inference.Identity {
	return inference.Identity{
		Mode: string(backend.UserPool), Issuer: issuer, Groups: groups,
		Caller: inference.Caller{ID: sub, Name: sub + "@example.com"},
		Claims: map[string]any{"token_use": "id"},
	}
}

func verify(_ context.Context, token string) (inference.Identity, error) {
	if i, ok := tokens[token]; ok {
		return i, nil
	}
	if token == "broken" {
		return inference.Identity{}, errors.New("the issuer's keys are gone")
	}
	return inference.Identity{}, &inference.Error{Kind: inference.Kind(token), Message: "for GraphQL"}
}

// newPool is a pool whose sessions end up in issued.
func newPool(issued *inference.TemporarySession) *Pool {
	return New(Options{
		ID: poolID, Account: account, Secret: []byte("a secret of the test"), Verify: verify,
		Now: func() time.Time { return now },
		Settings: Settings{
			Issuers:       []string{issuer, "https://id.example.com"},
			Authenticated: "member", Guest: "visitor", AllowGuests: true,
			ByGroup: map[string]string{"editors": "editor", "admins": "administrator"},
		},
		Issue: func(s inference.TemporarySession) (inference.TemporaryCredentials, error) {
			*issued = s
			return inference.TemporaryCredentials{AccessKeyID: "FWASX", SecretAccessKey: "secret", SessionToken: "token", Expires: s.Expires}, nil
		},
	})
}

func showing(token string) map[string]string { return map[string]string{provider: token} }

func id(t *testing.T, p *Pool, logins map[string]string) string {
	t.Helper()
	out, err := p.GetID(t.Context(), GetIDInput{IdentityPoolID: poolID, Logins: logins})
	if err != nil {
		t.Fatalf("GetID: %v", err)
	}
	return out.IdentityID
}

func TestGetID(t *testing.T) {
	var issued inference.TemporarySession
	p := newPool(&issued)
	ana, again, admin := id(t, p, showing("ana")), id(t, p, showing("ana")), id(t, p, showing("admin"))
	oidc := id(t, p, map[string]string{"id.example.com": "oidc"})
	guest, other := id(t, p, nil), id(t, p, map[string]string{})
	form := regexp.MustCompile(`^ap-southeast-1:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, i := range []string{ana, admin, oidc, guest, other} {
		if !form.MatchString(i) {
			t.Errorf("identity %s is not of the form %s", i, form)
		}
	}
	if ana != again || ana == admin || ana == oidc || guest == other {
		t.Errorf("identities %s, again %s, of another %s, of another issuer %s, of guests %s %s, want only the first two equal", ana, again, admin, oidc, guest, other)
	}
	if !p.isGuest(guest) || p.isGuest(ana) || p.isGuest(poolID) || p.isGuest("") {
		t.Error("isGuest tells guests wrongly")
	}

	elsewhere := newPool(&issued)
	elsewhere.options.Secret = []byte("another secret")
	if got := id(t, elsewhere, showing("ana")); got == ana {
		t.Errorf("with another secret the identity is %s too", got)
	}
	if elsewhere.isGuest(guest) {
		t.Error("a guest of one secret is one of another")
	}
}

// want is an error that an operation gives.
type want struct {
	kind    Kind
	message string
}

func (w want) of(t *testing.T, what string, err error) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != w.kind || !strings.HasPrefix(e.Message, w.message) {
		t.Errorf("%s: error %v, want %s: %s", what, err, w.kind, w.message)
	}
}

var badLogins = map[string]struct {
	logins map[string]string
	want   want
}{
	"unknown provider":     {map[string]string{"accounts.example.com": "ana"}, want{NotAuthorized, "Token is not from a supported provider"}},
	"provider with scheme": {map[string]string{issuer: "ana"}, want{NotAuthorized, "Token is not from a supported provider"}},
	"two logins":           {map[string]string{provider: "ana", "id.example.com": "oidc"}, want{InvalidParameter, "only one login"}},
	"empty token":          {showing(""), want{InvalidParameter, "1 validation error detected"}},
	"long token":           {showing(strings.Repeat("x", maxToken+1)), want{InvalidParameter, "1 validation error detected"}},
	"garbled token":        {showing(string(inference.Validation)), want{NotAuthorized, "Invalid login token. Not a valid OpenId"}},
	"expired token":        {showing(string(inference.ExpiredToken)), want{NotAuthorized, "Invalid login token. Token expired"}},
	"forged token":         {showing(string(inference.UnrecognizedClient)), want{NotAuthorized, "Invalid login token. Token signature invalid"}},
	"access token":         {showing("access"), want{NotAuthorized, "Invalid login token. Not a valid OpenId"}},
	"pool token, no use":   {showing("none"), want{NotAuthorized, "Invalid login token. Not a valid OpenId"}},
	"no subject":           {showing("nobody"), want{NotAuthorized, "Invalid login token. Token has no subject"}},
	"another issuer":       {showing("other"), want{NotAuthorized, "Invalid login token. Issuer doesn't match"}},
	"another scheme":       {showing("https"), want{NotAuthorized, "Invalid login token. Issuer doesn't match"}},
	"known, not this one":  {showing("oidc"), want{NotAuthorized, "Invalid login token. Issuer doesn't match"}},
}

func TestBadLoginsGiveNothing(t *testing.T) {
	var issued inference.TemporarySession
	p := newPool(&issued)
	guest := id(t, p, nil)
	for name, c := range badLogins {
		_, err := p.GetID(t.Context(), GetIDInput{IdentityPoolID: poolID, Logins: c.logins})
		c.want.of(t, name+", GetId", err)
		_, err = p.GetCredentialsForIdentity(t.Context(), GetCredentialsInput{IdentityID: guest, Logins: c.logins})
		c.want.of(t, name+", GetCredentialsForIdentity", err)
	}
	if issued.Principal != "" {
		t.Errorf("a bad login made a session of %s", issued.Principal)
	}
	_, err := p.GetID(t.Context(), GetIDInput{IdentityPoolID: poolID, Logins: showing("broken")})
	if err == nil || inference.AsError(err).Kind != inference.InternalServer {
		t.Errorf("GetID without the issuer's keys: %v, want what is no fault of the token", err)
	}
}

func TestGetIDRefusals(t *testing.T) {
	var issued inference.TemporarySession
	p := newPool(&issued)
	other := "ap-southeast-1:00000000-0000-0000-0000-000000000000"
	_, err := p.GetID(t.Context(), GetIDInput{IdentityPoolID: other})
	want{ResourceNotFound, "IdentityPool '" + other + "' not found."}.of(t, "another pool", err)
	_, err = p.GetID(t.Context(), GetIDInput{IdentityPoolID: "<script>"})
	want{InvalidParameter, "1 validation error detected: Value at 'identityPoolId'"}.of(t, "no pool's id", err)
	p.Configure(Settings{Issuers: []string{issuer}, Authenticated: "member", Guest: "visitor"})
	_, err = p.GetID(t.Context(), GetIDInput{IdentityPoolID: poolID})
	want{NotAuthorized, msgNoGuests}.of(t, "guests not allowed", err)
	id(t, p, showing("ana"))
}

func TestCredentials(t *testing.T) {
	var issued inference.TemporarySession
	p := newPool(&issued)
	ana, guest := id(t, p, showing("ana")), id(t, p, nil)
	for _, c := range []struct {
		name, identity string
		logins         map[string]string
		own, principal string
		caller         inference.Caller
		methods        []string
	}{
		{"guest", guest, nil, guest, "visitor", inference.Caller{ID: guest}, []string{"unauthenticated"}},
		{"signed in", ana, showing("ana"), ana, "member", tokens["ana"].Caller, []string{"authenticated", provider, provider + ":CognitoSignIn:ana"}},
		{"a guest signs in", guest, showing("ana"), ana, "member", tokens["ana"].Caller, []string{"authenticated", provider, provider + ":CognitoSignIn:ana"}},
		{"by group", guest, showing("admin"), id(t, p, showing("admin")), "administrator", tokens["admin"].Caller, []string{"authenticated", provider, provider + ":CognitoSignIn:root"}},
	} {
		got, err := p.GetCredentialsForIdentity(t.Context(), GetCredentialsInput{IdentityID: c.identity, Logins: c.logins})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		wantOut := GetCredentialsOutput{c.own, Credentials{"FWASX", "secret", "token", float64(now.Add(time.Hour).UnixMilli()) / 1000}}
		if diff := cmp.Diff(wantOut, got); diff != "" {
			t.Errorf("%s: answer (-want +got)\n%s", c.name, diff)
		}
		wantSession := inference.TemporarySession{
			Principal: c.principal,
			ARN:       inference.ARN("arn:aws:sts::" + account + ":assumed-role/" + c.principal + "/CognitoIdentityCredentials"),
			Caller:    c.caller,
			Expires:   now.Add(time.Hour),
			Session: inference.Session{Name: "CognitoIdentityCredentials", Issued: now, Keys: map[string][]string{
				"cognito-identity.amazonaws.com:aud": {poolID},
				"cognito-identity.amazonaws.com:sub": {c.own},
				"cognito-identity.amazonaws.com:amr": c.methods,
			}},
		}
		if diff := cmp.Diff(wantSession, issued); diff != "" {
			t.Errorf("%s: session (-want +got)\n%s", c.name, diff)
		}
	}
}

// TestAttacks are requests for what belongs to somebody else.
func TestAttacks(t *testing.T) {
	var issued inference.TemporarySession
	p := newPool(&issued)
	ana, admin, guest := id(t, p, showing("ana")), id(t, p, showing("admin")), id(t, p, nil)
	forged := guest[:len(guest)-1] + string("0123456789abcdef"[(strings.IndexByte("0123456789abcdef", guest[len(guest)-1])+1)%16])
	forbidden := func(identity string) want {
		return want{NotAuthorized, "Access to Identity '" + identity + "' is forbidden."}
	}
	mismatch := want{NotAuthorized, "Logins don't match."}
	for _, c := range []struct {
		name string
		in   GetCredentialsInput
		want want
	}{
		{"another user's identity with one's own login", GetCredentialsInput{IdentityID: admin, Logins: showing("ana")}, mismatch},
		{"a user's identity without a login", GetCredentialsInput{IdentityID: ana}, forbidden(ana)},
		{"a forged guest", GetCredentialsInput{IdentityID: forged}, forbidden(forged)},
		{"a forged guest with a login", GetCredentialsInput{IdentityID: forged, Logins: showing("ana")}, mismatch},
		{"a guest of another region", GetCredentialsInput{IdentityID: "us" + guest[2:]}, forbidden("us" + guest[2:])},
		{"the pool's own id", GetCredentialsInput{IdentityID: poolID}, forbidden(poolID)},
		{"a role of one's choice", GetCredentialsInput{IdentityID: ana, Logins: showing("ana"), CustomRoleARN: "arn:aws:iam::123456789012:role/administrator"}, want{InvalidParameter, "CustomRoleArn"}},
		{"no identity", GetCredentialsInput{}, want{InvalidParameter, "1 validation error detected: Value at 'identityId'"}},
		{"no identity's form", GetCredentialsInput{IdentityID: guest + "\n"}, want{InvalidParameter, "1 validation error detected: Value at 'identityId'"}},
	} {
		_, err := p.GetCredentialsForIdentity(t.Context(), c.in)
		c.want.of(t, c.name, err)
	}
	p.Configure(Settings{Issuers: []string{issuer}})
	_, err := p.GetCredentialsForIdentity(t.Context(), GetCredentialsInput{IdentityID: guest})
	want{NotAuthorized, msgNoGuests}.of(t, "a guest after guests were locked out", err)
	_, err = p.GetCredentialsForIdentity(t.Context(), GetCredentialsInput{IdentityID: ana, Logins: showing("ana")})
	want{InvalidConfiguration, "Invalid identity pool configuration."}.of(t, "no principal", err)
	if issued.Principal != "" {
		t.Errorf("an attack made a session of %s", issued.Principal)
	}
}

func TestIssueFails(t *testing.T) {
	var issued inference.TemporarySession
	p := newPool(&issued)
	p.options.Issue = func(inference.TemporarySession) (inference.TemporaryCredentials, error) {
		return inference.TemporaryCredentials{}, errors.New("no secret")
	}
	_, err := p.GetCredentialsForIdentity(t.Context(), GetCredentialsInput{IdentityID: id(t, p, nil)})
	if err == nil || inference.AsError(err).Kind != inference.InternalServer {
		t.Errorf("error %v, want an internal one", err)
	}
}

// FuzzIdentity wants no identity to be a guest's but those that the pool made, and no
// request without a login to speak for anybody else.
func FuzzIdentity(f *testing.F) {
	var issued inference.TemporarySession
	p := newPool(&issued)
	open := "ap-southeast-1:9f86d081-884c-4d65-9a2f-"
	guest := open + p.seal(open)
	f.Add(guest)
	f.Add(poolID)
	f.Add(p.ofLogin(issuer, "ana"))
	f.Fuzz(func(t *testing.T, identity string) {
		out, err := p.GetCredentialsForIdentity(context.Background(), GetCredentialsInput{IdentityID: identity})
		if (err == nil) != (identity == guest) {
			t.Errorf("GetCredentialsForIdentity(%q) = %v, %v", identity, out, err)
		}
		if err != nil && out != (GetCredentialsOutput{}) {
			t.Errorf("GetCredentialsForIdentity(%q) fails with %+v", identity, out)
		}
	})
}

func BenchmarkGetCredentials(b *testing.B) {
	var issued inference.TemporarySession
	p := newPool(&issued)
	in := GetCredentialsInput{IdentityID: p.ofLogin(issuer, "ana"), Logins: showing("ana")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.GetCredentialsForIdentity(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}
