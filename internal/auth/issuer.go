package auth

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"fairway/backend"
	"fairway/internal/inference"
)

// Issuer is whose tokens are accepted, and for whom they speak. Issuer, Mode and Keys
// are required.
type Issuer struct {
	Issuer    string            // exactly the tokens' iss
	Mode      string            // backend.UserPool or backend.OIDC
	Keys      KeySet            // [NewJWKS], [Discover], or [RSAKeys] of an issuer in this process
	Audiences []string          // a token is for one of them: aud, azp, or client_id of a user pool's access token; none is any
	TokenUse  []string          // token_use is one of these; none is access or id of a user pool, and anything of others
	Leeway    time.Duration     // between the issuer's clock and ours
	Claims    map[string]string // what else a token has to say: this text, or a list that holds it

	// What AppSync's OIDC providers have beside: a pattern of the client in aud or azp,
	// nil for any, and how long after auth_time and iat a token is good, 0 for as long
	// as it says.
	Client          *regexp.Regexp
	AuthTTL, IatTTL time.Duration

	GroupsClaim string            // where groups are; empty is cognito:groups
	Principal   string            // whom tokens speak for beside their user, by name; empty for nobody
	ByGroup     map[string]string // the same by group: of the token's groups the first that is here counts

	Revoked func(originJTI string) bool // nil revokes nothing; asked at every use of a token

	// Address is the verified e-mail address of a user whose token does not tell it,
	// empty for none. It is asked each time that a token is checked; nil knows none.
	Address func(ctx context.Context, sub string) (string, error)
}

// issuer is an Issuer made ready.
type issuer struct {
	Issuer
	validator *jwt.Validator
	now       func() time.Time
}

func newIssuer(i Issuer, now func() time.Time) *issuer {
	i.GroupsClaim = cmp.Or(i.GroupsClaim, "cognito:groups")
	if len(i.TokenUse) == 0 && i.isUserPool() {
		i.TokenUse = []string{"access", "id"}
	}
	return &issuer{i, jwt.NewValidator(
		jwt.WithTimeFunc(now), jwt.WithLeeway(i.Leeway), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
	), now}
}

func (i Issuer) isUserPool() bool { return i.Mode == string(backend.UserPool) }

// signsWith reports whether tokens of the issuer come with that algorithm: those of a
// user pool with RS256 alone.
func (i Issuer) signsWith(algorithm string) bool {
	return !i.isUserPool() || algorithm == jwt.SigningMethodRS256.Alg()
}

// isForUs reports whether the claims are of a kind of token that identifies a user,
// issued for us, and say what they have to.
func (i Issuer) isForUs(claims jwt.MapClaims) bool {
	if len(i.TokenUse) > 0 && !slices.Contains(i.TokenUse, text(claims, "token_use")) {
		return false
	}
	for name, want := range i.Claims {
		if !says(claims[name], want) {
			return false
		}
	}
	return text(claims, "sub") != "" && i.isOurAudience(claims) && i.isOurClient(claims)
}

// isOurAudience looks where the kind of token names its client: an access token of a
// user pool has no aud.
func (i Issuer) isOurAudience(claims jwt.MapClaims) bool {
	if len(i.Audiences) == 0 {
		return true
	}
	names := []string{"aud", "azp"}
	if i.isUserPool() && text(claims, "token_use") == "access" {
		names = []string{"client_id"}
	}
	return slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc(i.Audiences, func(audience string) bool { return says(claims[name], audience) })
	})
}

func (i Issuer) isOurClient(claims jwt.MapClaims) bool {
	return i.Client == nil || slices.ContainsFunc(append(texts(claims["aud"]), texts(claims["azp"])...), i.Client.MatchString)
}

// until is when a token ends: by its exp, and by the issuer's own limits after other
// times, which it has to say then.
func (i *issuer) until(claims jwt.MapClaims) (time.Time, error) {
	exp, err := claims.GetExpirationTime()
	if err != nil {
		return time.Time{}, err
	}
	until := exp.Time
	for name, ttl := range map[string]time.Duration{"auth_time": i.AuthTTL, "iat": i.IatTTL} {
		if ttl == 0 {
			continue
		}
		at, ok := claims[name].(float64)
		if !ok {
			return time.Time{}, errKind
		}
		if end := time.Unix(int64(at), 0).Add(ttl); end.Before(until) {
			until = end
		}
	}
	if until = until.Add(i.Leeway); !i.now().Before(until) {
		return time.Time{}, jwt.ErrTokenExpired
	}
	return until, nil
}

func (i Issuer) identity(claims jwt.MapClaims, address string) inference.Identity {
	groups := texts(claims[i.GroupsClaim])
	return inference.Identity{
		Mode: i.Mode,
		Caller: inference.Caller{
			ID:    text(claims, "sub"),
			Name:  cmp.Or(text(claims, "username"), text(claims, "cognito:username"), text(claims, "preferred_username")),
			Alias: strings.ToLower(address),
			Group: first(groups),
		},
		Principal: i.principal(groups),
		Issuer:    i.Issuer,
		Groups:    groups,
		Claims:    claims,
	}
}

// address is the e-mail address of a user, empty where nobody vouches for one: users may
// write into their own what they like.
func (i Issuer) address(ctx context.Context, claims jwt.MapClaims) (string, error) {
	if email := text(claims, "email"); email != "" && says(claims["email_verified"], "true") {
		return email, nil
	}
	if i.Address == nil {
		return "", nil
	}
	return i.Address(ctx, text(claims, "sub"))
}

func (i Issuer) principal(groups []string) string {
	for _, group := range groups {
		if name, ok := i.ByGroup[group]; ok {
			return name
		}
	}
	return i.Principal
}

func (i Issuer) revoked(originJTI string) bool {
	return i.Revoked != nil && originJTI != "" && i.Revoked(originJTI)
}

func text(claims jwt.MapClaims, name string) string {
	s, _ := claims[name].(string)
	return s
}

// texts are the texts of a claim that is a list of them, or one.
func texts(claim any) []string {
	switch claim := claim.(type) {
	case string:
		return []string{claim}
	case []any:
		var all []string
		for _, item := range claim {
			if s, ok := item.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// says reports whether a claim is want, or a list that holds it.
func says(claim any, want string) bool {
	switch claim := claim.(type) {
	case string, bool, float64:
		return fmt.Sprint(claim) == want
	case []any:
		return slices.Contains(texts(claim), want)
	}
	return false
}

// first is the first of some words, empty for none.
func first(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}
