package front

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// presents lets everybody in by one credential.
type presents inference.Credential

func (p presents) Authenticate(*http.Request, func() ([]byte, error)) (inference.Credential, error) {
	return inference.Credential(p), nil
}

// TestCircumstances: a visit tells what conditions may ask, by the connection and the
// credential alone: not by what a client says of where it is.
func TestCircumstances(t *testing.T) {
	session := &inference.Session{Name: "nightly", Issued: time.Unix(1, 0)}
	caller := inference.Caller{ID: "sub", Name: "ann@example.com", Key: "laptop", Budget: "team"}
	credential := inference.Credential{
		Principal: inference.Principal{Name: "ann"}, Service: "bedrock", Region: "us-east-1", Bearer: true,
		BearerType: inference.ShortTerm, Session: session, Caller: caller,
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader(""))
	r.RemoteAddr, r.TLS = "[2001:db8::1]:4711", &tls.ConnectionState{}
	r.Header.Set("User-Agent", "curl/8")
	r.Header.Set("X-Forwarded-For", "10.0.0.1")
	r.Header.Set("X-Forwarded-Proto", "http")
	var asked inference.Circumstances
	c := Config{
		Authenticator: presents(credential), DefaultRegion: "us-east-1",
		PermitBearer: func(_ inference.Principal, _ inference.Region, c inference.Circumstances) error {
			asked = c
			return nil
		},
	}
	v, err := c.Admit(httptest.NewRecorder(), r, "")
	if err != nil {
		t.Fatal(err)
	}
	want := inference.Circumstances{SourceIP: "2001:db8::1", Secure: true, UserAgent: "curl/8", BearerType: inference.ShortTerm, Session: session}
	if diff := cmp.Diff(want, v.Circumstances); diff != "" {
		t.Errorf("Admit: circumstances (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("PermitBearer: circumstances (-want +got):\n%s", diff)
	}
	if v.Caller != caller {
		t.Errorf("Admit: caller = %+v, want %+v", v.Caller, caller)
	}

	inside, err := c.AdmitInside(credential, "", nil, "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	want = inference.Circumstances{BearerType: inference.ShortTerm, Session: session}
	if diff := cmp.Diff(want, inside.Circumstances); diff != "" || inside.Caller != caller {
		t.Errorf("AdmitInside: caller %+v, circumstances (-want +got):\n%s", inside.Caller, diff)
	}
}
