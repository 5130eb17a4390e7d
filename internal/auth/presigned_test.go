package auth_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/auth"
	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

const (
	vectorSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	vectorToken  = "session/token+with=odd&chars"
	keyPrefix    = "bedrock-api-key-"
)

// readVectors are short-term keys as AWS's own generator makes them.
func readVectors(t testing.TB) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/short_term_keys.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors map[string]string
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

// shortTermKeys knows the access keys of the vectors.
func shortTermKeys() auth.Bedrock {
	keys := auth.NewKeys()
	keys.AddAccessKey(auth.AccessKey{ID: "AKID", Secret: vectorSecret, Principal: developer})
	keys.AddAccessKey(auth.AccessKey{ID: "TEMP", Secret: vectorSecret, SessionToken: vectorToken, Expires: now.Add(30 * time.Minute), Principal: developer})
	return auth.Bedrock{Signatures: auth.Signatures{Keys: keys, Now: clock}}
}

func bearing(key string) *http.Request {
	r := httptest.NewRequest("POST", "/model/m/invoke", nil)
	r.Header.Set("Authorization", "Bearer "+key)
	return r
}

// newShortTermKey makes a key as the generator does, with the parameters changed
// before it is signed.
func newShortTermKey(secret string, change func(parameters map[string]string)) string {
	parameters := map[string]string{
		"Action": "CallWithBearerToken", "X-Amz-Algorithm": sigv4.Algorithm,
		"X-Amz-Credential": "AKID%2F20261122%2Fap-southeast-1%2Fbedrock%2Faws4_request",
		"X-Amz-Date":       "20261122T104406Z", "X-Amz-Expires": "43200", "X-Amz-SignedHeaders": "host",
	}
	if change != nil {
		change(parameters)
	}
	var query []string
	for name, value := range parameters {
		query = append(query, name+"="+value)
	}
	raw := strings.Join(query, "&")
	return keyPrefix + base64.StdEncoding.EncodeToString([]byte("bedrock.amazonaws.com/?"+raw+"&X-Amz-Signature="+signatureOf(raw, secret)+"&Version=1"))
}

// signatureOf signs a query as the one of a key, whatever is in it.
func signatureOf(raw, secret string) string {
	r := sigv4.Request{Method: "POST", Path: "/", RawQuery: raw, Host: "bedrock.amazonaws.com", PayloadHash: sigv4.HashPayload(nil)}
	p, err := sigv4.ParsePresigned(raw + "&X-Amz-Signature=0")
	if err != nil {
		return "0"
	}
	return p.Sign(r, p.Scope.Key(secret))
}

func TestShortTermKeys(t *testing.T) {
	want := inference.Credential{Principal: developer, Service: "bedrock", Region: "ap-southeast-1", Bearer: true, BearerType: inference.ShortTerm}
	keys := map[string]string{"long life": newShortTermKey(vectorSecret, nil)}
	for name, key := range readVectors(t) {
		if name != "_about" {
			keys[name] = key
		}
	}
	for name, key := range keys {
		got, err := shortTermKeys().Authenticate(bearing(key), nil)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: Authenticate (-want +got), %v:\n%s", name, err, diff)
		}
	}
}

// TestShortTermKeyOfASession: it has the rights of the session that made it.
func TestShortTermKeyOfASession(t *testing.T) {
	b, sessions := withSessions()
	session := issue(t, sessions, inference.TemporarySession{Principal: "cook", Session: inference.Session{Name: "shift"}, Caller: inference.Caller{ID: "sub-1"}})
	key := newShortTermKey(session.Secret, func(p map[string]string) {
		p["X-Amz-Credential"] = strings.Replace(p["X-Amz-Credential"], "AKID", session.ID, 1)
		p["X-Amz-Security-Token"] = session.SessionToken
	})
	got, err := b.Authenticate(bearing(key), nil)
	if err != nil || got.Principal.Name != "cook" || got.Session.Name != "shift" || got.Caller.ID != "sub-1" || got.BearerType != inference.ShortTerm {
		t.Errorf("Authenticate = %+v, %v, want the session of cook", got, err)
	}
}

func TestShortTermKeyExpires(t *testing.T) {
	vectors := readVectors(t)
	for name, tt := range map[string]struct {
		key  string
		at   time.Duration
		good bool
	}{
		"at its end":                   {vectors["long-term"], time.Hour, false},
		"a moment before":              {vectors["long-term"], time.Hour - time.Second, true},
		"with its access key":          {vectors["temporary"], 30 * time.Minute, false},
		"before that":                  {vectors["temporary"], 30*time.Minute - time.Second, true},
		"by a clock that is late":      {vectors["long-term"], -5 * time.Minute, true},
		"by one that is too late":      {vectors["long-term"], -5*time.Minute - time.Second, false},
		"of 12 hours, on the next day": {newShortTermKey(vectorSecret, func(p map[string]string) { p["X-Amz-Date"] = "20261122T104406Z" }), 12*time.Hour - time.Second, true},
	} {
		b := shortTermKeys()
		b.Now = func() time.Time { return now.Add(tt.at) }
		if _, err := b.Authenticate(bearing(tt.key), nil); (err == nil) != tt.good {
			t.Errorf("%s: Authenticate = %v, want good %t", name, err, tt.good)
		}
	}
	b := shortTermKeys()
	b.Now = func() time.Time { return now.Add(time.Hour) }
	refuses(t, "its words", b, bearing(vectors["long-term"]), inference.ExpiredToken, msgExpired)
}

func TestAttackShortTermKey(t *testing.T) {
	changed := func(name, value string) string {
		return newShortTermKey(vectorSecret, func(p map[string]string) {
			if p[name] = value; value == "" {
				delete(p, name)
			}
		})
	}
	const credential = "%2Fap-southeast-1%2Fbedrock%2Faws4_request"
	for name, key := range map[string]string{
		"too long a life":     changed("X-Amz-Expires", "43201"),
		"no life":             changed("X-Amz-Expires", "0"),
		"a life of text":      changed("X-Amz-Expires", "1h"),
		"a negative life":     changed("X-Amz-Expires", "-1"),
		"a life without end":  changed("X-Amz-Expires", ""),
		"another action":      changed("Action", "DeleteEverything"),
		"no action":           changed("Action", ""),
		"another service":     changed("X-Amz-Credential", "AKID%2F20261122%2Fap-southeast-1%2Fsts%2Faws4_request"),
		"an unknown key":      changed("X-Amz-Credential", "NONE%2F20261122"+credential),
		"a needless token":    changed("X-Amz-Security-Token", "x"),
		"a temporary key's":   changed("X-Amz-Credential", "TEMP%2F20261122"+credential),
		"more signed headers": changed("X-Amz-SignedHeaders", "host%3Bx-none"),
		"no signed host":      changed("X-Amz-SignedHeaders", "x-none"),
		"another algorithm":   changed("X-Amz-Algorithm", "AWS4-HMAC-SHA1"),
		"no date":             changed("X-Amz-Date", ""),
		"nothing":             keyPrefix,
		"no base64":           keyPrefix + "!",
		"far too long":        keyPrefix + strings.Repeat("A", 20<<10),
	} {
		refuses(t, name, shortTermKeys(), bearing(key), inference.UnrecognizedClient, msgInvalid)
	}
	refuses(t, "another's secret", shortTermKeys(), bearing(newShortTermKey("other", nil)), inference.InvalidSignature, msgMismatch)
	refuses(t, "the scope of another day", shortTermKeys(), bearing(changed("X-Amz-Credential", "AKID%2F20261121"+credential)), inference.InvalidSignature,
		"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261121' != '20261122', from '20261122T104406Z'.")
	address := decodeKey(t, readVectors(t)["long-term"])
	for name, change := range map[string][2]string{
		"made longer":    {"X-Amz-Expires=3600", "X-Amz-Expires=43200"},
		"made younger":   {"T104406Z", "T104407Z"},
		"another region": {"ap-southeast-1", "us-east-1"},
		"more to ask":    {"&Version=1", "&More=1&Version=1"},
	} {
		forged := keyPrefix + base64.StdEncoding.EncodeToString([]byte(strings.Replace(address, change[0], change[1], 1)))
		refuses(t, name, shortTermKeys(), bearing(forged), inference.InvalidSignature, msgMismatch)
	}
	for name, change := range map[string][2]string{
		"another host":    {"bedrock.amazonaws.com", "sts.amazonaws.com"},
		"with a scheme":   {"bedrock.amazonaws.com", "https://bedrock.amazonaws.com"},
		"another path":    {"/?", "/x?"},
		"another version": {"&Version=1", "&Version=2"},
		"two actions":     {"?Action", "?Action=CallWithBearerToken&Action"},
		"two dates":       {"&Version=1", "&X-Amz-Date=20261122T104406Z&Version=1"},
		"two signatures":  {"&Version=1", "&X-Amz-Signature=0&Version=1"},
	} {
		forged := keyPrefix + base64.StdEncoding.EncodeToString([]byte(strings.Replace(address, change[0], change[1], 1)))
		refuses(t, name, shortTermKeys(), bearing(forged), inference.UnrecognizedClient, msgInvalid)
	}
}

func decodeKey(t testing.TB, key string) string {
	t.Helper()
	address, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, keyPrefix))
	if err != nil {
		t.Fatal(err)
	}
	return string(address)
}

// FuzzShortTermKey: of all that could be a key's text only what says the same as the
// signed one gets a credential.
func FuzzShortTermKey(f *testing.F) {
	good := decodeKey(f, readVectors(f)["long-term"])
	f.Add(good)
	f.Add(strings.Replace(good, "3600", "43200", 1))
	f.Add(strings.Replace(good, "&Version=1", "&X-Amz-Security-Token=x&Version=1", 1))
	f.Add("bedrock.amazonaws.com/?&Version=1")
	f.Fuzz(func(t *testing.T, address string) {
		key := keyPrefix + base64.StdEncoding.EncodeToString([]byte(address))
		got, err := shortTermKeys().Authenticate(bearing(key), nil)
		if err == nil {
			_, query, _ := strings.Cut(address, "?")
			p, err := sigv4.ParsePresigned(query)
			if err != nil || p.AccessKeyID != "AKID" || p.Expires != time.Hour || !p.At.Equal(now) || got.Region != "ap-southeast-1" {
				t.Fatalf("Authenticate(%q) = %+v, want it refused", address, got)
			}
			return
		}
		if _, ok := errors.AsType[*inference.Error](err); !ok || got != (inference.Credential{}) {
			t.Fatalf("Authenticate(%q) = %+v, %T, want *inference.Error alone", address, got, err)
		}
	})
}
