package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Issuer is whose tokens say who a caller is, on every door.
type Issuer struct {
	URL         URL               `yaml:"url"`          // exactly the tokens' iss
	JWKS        URL               `yaml:"jwks"`         // where its keys are; empty: as its OpenID configuration says. Default of a user pool: /.well-known/jwks.json below URL
	Audiences   []string          `yaml:"audiences"`    // a token has to be for one of them; none is any, of a user pool
	TokenUse    []string          `yaml:"token_use"`    // of a user pool: access, id; none is both
	Leeway      Duration          `yaml:"leeway"`       // between its clock and ours; default 30s
	Claims      map[string]string `yaml:"claims"`       // that a token has to have with this value
	GroupsClaim string            `yaml:"groups_claim"` // claim with the caller's groups; default of a user pool: cognito:groups
	Principal   string            `yaml:"principal"`    // who its callers are; empty: nobody but in the GraphQL API
	ByGroup     map[string]string `yaml:"by_group"`     // principal by group, in place of Principal
	Mode        IssuerMode        `yaml:"mode"`         // default: user_pool for URLs of Cognito, else oidc
}

// IssuerMode is which authorization mode of the GraphQL API an issuer's tokens are of.
type IssuerMode string

// The modes.
const (
	UserPoolIssuer IssuerMode = "user_pool" // AMAZON_COGNITO_USER_POOLS
	OIDCIssuer     IssuerMode = "oidc"      // OPENID_CONNECT
)

// UnmarshalText reads one of the modes.
func (m *IssuerMode) UnmarshalText(text []byte) error {
	return oneOf(m, text, UserPoolIssuer, OIDCIssuer)
}

// complete puts in what follows from the URL, and makes nothing nil.
func (i *Issuer) complete() {
	if i.Mode == "" {
		i.Mode = OIDCIssuer
		if strings.HasPrefix(string(i.URL), "https://cognito-idp.") {
			i.Mode = UserPoolIssuer
		}
	}
	if i.JWKS == "" && i.URL != "" && i.Mode == UserPoolIssuer {
		i.JWKS = i.wellKnown()
	}
	if len(i.Audiences) == 0 {
		i.Audiences = nil
	}
	if len(i.TokenUse) == 0 {
		i.TokenUse = nil
	}
	if i.GroupsClaim == "" && i.Mode == UserPoolIssuer {
		i.GroupsClaim = "cognito:groups"
	}
}

// wellKnown is where a user pool has its keys.
func (i *Issuer) wellKnown() URL {
	return URL(strings.TrimSuffix(string(i.URL), "/")) + "/.well-known/jwks.json"
}

// maxLeeway is more than clocks that anyone looks after are apart.
const maxLeeway = Duration(5 * time.Minute)

func validateIssuers(found *findings, issuers []Issuer) {
	urls := map[URL]bool{}
	for n, i := range issuers {
		path := fmt.Sprintf("issuers[%d]", n)
		found.check(i.URL != "", path+".url", "want the iss of the tokens")
		found.secured(i.URL, path+".url")
		unique(found, urls, i.URL, path+".url")
		if i.JWKS != i.wellKnown() { // else it is as good as the URL
			found.secured(i.JWKS, path+".jwks")
		}
		found.check(!slices.Contains(i.Audiences, ""), path+".audiences", "want no empty audience")
		found.check(i.Leeway >= 0 && i.Leeway <= maxLeeway, path+".leeway", "want 0s to 5m")
		found.texts(i.Claims, path+".claims", "want a claim and the value that it has to have")
		i.validateMode(found, path)
		for _, name := range i.named(path) {
			found.principal(name.name, name.path)
		}
	}
}

// validateMode finds what only the other kind of issuer has.
func (i *Issuer) validateMode(found *findings, path string) {
	if i.Mode == OIDCIssuer {
		found.check(len(i.Audiences) > 0, path+".audiences", "want the audiences that tokens may be for: an OpenID provider has tokens for others too")
		found.check(len(i.TokenUse) == 0, path+".token_use", "want it for user pools alone, tokens of others have no token_use")
	}
	for _, use := range i.TokenUse {
		found.check(use == "access" || use == "id", path+".token_use", "want access or id, got %q", use)
	}
	found.check(len(i.ByGroup) == 0 || i.GroupsClaim != "", path+".by_group", "want groups_claim, the claim with the groups")
	_, empty := i.ByGroup[""]
	found.check(!empty, path+".by_group", "want the name of a group before each principal")
}

// named are the principals that callers with tokens of i are.
func (i *Issuer) named(path string) []named {
	return namedBy(path+".by_group", i.ByGroup, named{path + ".principal", i.Principal})
}

// texts finds a map with an empty key or value.
func (found *findings) texts(all map[string]string, path, want string) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		found.check(key != "" && all[key] != "", path, "%s, got %q=%q", want, key, all[key])
	}
}

// secured finds the address of a server whose word is taken, and that others than
// it could answer at.
func (found *findings) secured(u URL, path string) {
	parsed, err := url.Parse(string(u))
	ok := u == "" || err == nil && (parsed.Scheme == "https" || isLoopback(net.JoinHostPort(parsed.Hostname(), "")))
	found.check(ok && !strings.Contains(string(u), "{region}"), path, "want https, or http on this machine, got %q", u)
}
