package bedrock

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
	"fairway/internal/upstream/upstreamtest"
)

const applicationARN = "arn:aws:bedrock:ap-southeast-1:123456789012:application-inference-profile/abcdef123456"

// described is a GetInferenceProfile response over models in regions.
func described(regions ...string) string {
	var models []string
	for _, r := range regions {
		models = append(models, `{"modelArn":"arn:aws:bedrock:`+r+`::foundation-model/`+model+`"}`)
	}
	return `{"inferenceProfileName":"n","inferenceProfileArn":"` + applicationARN + `","inferenceProfileId":"abcdef123456",` +
		`"status":"ACTIVE","type":"APPLICATION","models":[` + strings.Join(models, ",") + `]}`
}

func TestProfile(t *testing.T) {
	known := inference.Profile{ID: "abcdef123456", ARN: applicationARN, Model: model, SourceRegion: singapore, Remote: true}
	several, single, global := known, known, known
	several.Destinations = []inference.Region{"ap-south-1", singapore}
	single.Destinations, single.CopiedFrom = []inference.Region{singapore}, model
	global.Destinations, global.Global = []inference.Region{singapore}, true
	f := newAWS(t)
	for _, test := range []struct {
		name, body string
		want       inference.Profile
		ok         bool
	}{
		{"several regions", described("ap-south-1", "ap-southeast-1"), several, true},
		{"one region", described("ap-southeast-1"), single, true},
		{"global", described("", "ap-southeast-1"), global, true},
		{"no model", described(), inference.Profile{}, false},
		{"not active", strings.Replace(described("ap-southeast-1"), "ACTIVE", "DELETING", 1), inference.Profile{}, false},
		{"of a custom model", strings.ReplaceAll(described("ap-southeast-1"), "foundation-model", "custom-model"), inference.Profile{}, false},
	} {
		f.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, test.body) }
		u := f.upstream(t, Config{})
		got, ok, err := u.Profile(t.Context(), applicationARN, singapore)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok || err != nil {
			t.Errorf("%s: Profile() = %t, %v, want %t (-want +got):\n%s", test.name, ok, err, test.ok, diff)
		}
	}
	if r, _ := f.last(); r.RequestURI != "/region/ap-southeast-1/inference-profiles/"+url.QueryEscape(applicationARN) || r.Method != "GET" {
		t.Errorf("asked %s %s, want GET of the ARN", r.Method, r.RequestURI)
	}
}

// TestProfileIsKept: what is known is asked once, what is not each time.
func TestProfileIsKept(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	for _, test := range []struct {
		answer http.HandlerFunc
		ok     bool
		fails  bool
		calls  int // after asking twice
	}{
		{func(w http.ResponseWriter, _ *http.Request) { refuse(w, 503, "ServiceUnavailableException", "m") }, false, true, 2},
		{func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, "ResourceNotFoundException", "m") }, false, false, 4},
		{func(w http.ResponseWriter, _ *http.Request) { refuse(w, 400, "ValidationException", "m") }, false, false, 6},
		{func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "AccessDeniedException", "m") }, false, false, 8},
		{func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, described()) }, false, false, 10},
		{func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, false, true, 12},
		{func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, described("ap-southeast-1")) }, true, false, 13},
	} {
		f.answer = test.answer
		for range 2 {
			if _, ok, err := u.Profile(t.Context(), applicationARN, singapore); ok != test.ok || (err != nil) != test.fails {
				t.Errorf("Profile() = %t, %v, want %t and an error: %t", ok, err, test.ok, test.fails)
			}
		}
		if len(f.calls) != test.calls {
			t.Errorf("%d calls, want %d", len(f.calls), test.calls)
		}
	}
}

// TestProfileExpires: a profile may be deleted.
func TestProfileExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		u := inMemory(t, Config{}, func(w http.ResponseWriter, _ *http.Request) {
			calls++
			_, _ = io.WriteString(w, described("ap-southeast-1"))
		})
		for range 2 {
			if _, ok, err := u.Profile(t.Context(), applicationARN, singapore); !ok || err != nil {
				t.Errorf("Profile() = %t, %v", ok, err)
			}
			time.Sleep(profileTTL)
		}
		if calls != 2 {
			t.Errorf("%d calls, want 2", calls)
		}
	})
}

// TestProfileIsAskedOnce: however many callers want it at the same time.
func TestProfileIsAskedOnce(t *testing.T) {
	release := make(chan struct{})
	calls := 0
	answer := func(w http.ResponseWriter, _ *http.Request) {
		calls++
		<-release
		_, _ = io.WriteString(w, described("ap-southeast-1"))
	}
	f := newAWS(t)
	f.answer = answer
	u := f.upstream(t, Config{})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			if _, ok, err := u.Profile(t.Context(), applicationARN, singapore); !ok || err != nil {
				t.Errorf("Profile() = %t, %v", ok, err)
			}
		})
	}
	close(release)
	callers.Wait()
	if calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
}

// FuzzReadProfile: what is read can be called, and an error means nothing was.
func FuzzReadProfile(f *testing.F) {
	f.Add([]byte(described("ap-south-1", "ap-southeast-1")))
	f.Add([]byte(described("")))
	f.Add([]byte(`{"models":[{"modelArn":"arn:aws:bedrock"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := readProfile(body, singapore)
		if err != nil {
			if diff := cmp.Diff(inference.Profile{}, p); diff != "" {
				t.Errorf("readProfile(%q) with an error (-want +got):\n%s", body, diff)
			}
			return
		}
		if p.ID == "" || p.ARN == "" || p.Model == "" || len(p.Destinations) == 0 || !p.Remote || p.SourceRegion != singapore {
			t.Errorf("readProfile(%q) = %+v, want a profile that can be called", body, p)
		}
	})
}

// TestAccounts: each account calls with its own role, which is assumed once.
func TestAccounts(t *testing.T) {
	f := newAWS(t)
	assumed := map[string]int{}
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		role := r.FormValue("RoleArn")
		account := strings.Split(role, ":")[4]
		assumed[role+" "+r.FormValue("ExternalId")]++
		if account == "333333333333" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		f.secrets["ASIA"+account] = "secret of " + account
		w.Header().Set("Content-Type", "text/xml")
		_, _ = fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>`+
			`<AccessKeyId>ASIA%s</AccessKeyId><SecretAccessKey>secret of %s</SecretAccessKey><SessionToken>token</SessionToken>`+
			`<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
			account, account, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	defer sts.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	const role = "arn:aws:iam::%s:role/fairway"
	u := f.upstream(t, Config{Accounts: []Account{
		{ID: "111111111111", Role: fmt.Sprintf(role, "111111111111"), ExternalID: "outside"},
		{ID: "222222222222", Role: fmt.Sprintf(role, "222222222222"), Regions: []inference.Region{singapore}},
		{ID: "333333333333", Role: fmt.Sprintf(role, "333333333333")},
	}})
	for _, test := range []struct {
		account string
		region  inference.Region
		key     string // empty is an error
	}{
		{"", singapore, "AKIDEXAMPLE"},
		{"111111111111", singapore, "ASIA111111111111"},
		{"111111111111", "us-east-1", "ASIA111111111111"},
		{"222222222222", singapore, "ASIA222222222222"},
		{"222222222222", "us-east-1", ""},
		{"333333333333", singapore, ""},
	} {
		called := len(f.calls)
		stream, err := u.Invoke(t.Context(), inference.Target{Region: test.region, Model: model, Account: test.account}, ask(inference.InvokeModel, upstreamtest.Body))
		if test.key == "" {
			if err == nil || len(f.calls) != called {
				t.Errorf("account %s in %s: %v after %d calls, want an error and none", test.account, test.region, err, len(f.calls)-called)
			}
			continue
		}
		if err != nil {
			t.Errorf("account %s in %s: %v", test.account, test.region, err)
			continue
		}
		stream.Close()
		if r, _ := f.last(); !strings.Contains(r.Header.Get("Authorization"), "Credential="+test.key+"/") {
			t.Errorf("account %s in %s signed as %s, want %s", test.account, test.region, r.Header.Get("Authorization"), test.key)
		}
	}
	if n := assumed["arn:aws:iam::111111111111:role/fairway outside"]; n != 1 {
		t.Errorf("the role was assumed %d times, want once: %v", n, assumed)
	}
}
