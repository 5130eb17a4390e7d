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
	return `{"inferenceProfileName":"n","description":"d","createdAt":"2025-05-14T00:00:00+00:00","updatedAt":"2025-05-28T00:00:00+00:00","inferenceProfileArn":"` + applicationARN + `","inferenceProfileId":"abcdef123456",` +
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
		want := inference.ProfileListing{Profile: test.want}
		if test.ok {
			want.Name, want.Description = "n", "d"
			want.Created, want.Updated = time.Date(2025, 5, 14, 0, 0, 0, 0, time.UTC), time.Date(2025, 5, 28, 0, 0, 0, 0, time.UTC)
		}
		if diff := cmp.Diff(want, got); diff != "" || ok != test.ok || err != nil {
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

// details is a GetFoundationModel response.
const details = `{"modelDetails":{"modelArn":"arn:aws:bedrock:ap-southeast-1::foundation-model/new.model-v1:0","modelId":"new.model-v1:0","modelName":"New","inferenceTypesSupported":["ON_DEMAND"]}}`

// TestModel: what is no profile may be a model.
func TestModel(t *testing.T) {
	const arn = "arn:aws:bedrock:ap-southeast-1::foundation-model/new.model-v1:0"
	found := inference.ProfileListing{Name: "New", Profile: inference.Profile{
		Model: "new.model-v1:0", SourceRegion: singapore, Destinations: []inference.Region{singapore}, Remote: true,
	}}
	absent := func(kind string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, kind, "m") }
	}
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	missing, denied := absent("ResourceNotFoundException", 404), absent("AccessDeniedException", 403)
	for _, test := range []struct {
		name, named    string
		profile, model http.HandlerFunc
		want           inference.ProfileListing // zero is none
		fails          bool
		asked          string
	}{
		{"by id", "new.model-v1:0", missing, says(details), found, false, "inference-profiles foundation-models"},
		{"by id, with profiles denied", "new.model-v1:0", denied, says(details), found, false, "inference-profiles foundation-models"},
		{"by ARN", arn, nil, says(details), found, false, "foundation-models"},
		{"neither", "new.model-v1:0", missing, missing, inference.ProfileListing{}, false, "inference-profiles foundation-models"},
		{"both denied", "new.model-v1:0", denied, denied, inference.ProfileListing{}, false, "inference-profiles foundation-models"},
		{"an answer without a model", "new.model-v1:0", missing, says(`{}`), inference.ProfileListing{}, false, "inference-profiles foundation-models"},
		{"no answer", "new.model-v1:0", missing, absent("ThrottlingException", 429), inference.ProfileListing{}, true, "inference-profiles foundation-models"},
		{"no answer of profiles", "new.model-v1:0", absent("ThrottlingException", 429), says(details), inference.ProfileListing{}, true, "inference-profiles"},
		{"an application profile", "abcdef123456", missing, says(details), inference.ProfileListing{}, false, "inference-profiles"},
		{"the ARN of a profile", "arn:aws:bedrock:ap-southeast-1:1:inference-profile/new.model-v1:0", missing, says(details), inference.ProfileListing{}, false, "inference-profiles"},
	} {
		f := newAWS(t)
		var asked []string
		f.answer = func(w http.ResponseWriter, r *http.Request) {
			path := strings.Split(r.URL.EscapedPath(), "/")
			asked = append(asked, path[3])
			if id, err := url.PathUnescape(path[4]); err != nil || id != test.named {
				t.Errorf("%s: asked for %q, want %q", test.name, id, test.named)
			}
			if path[3] == "foundation-models" {
				test.model(w, r)
			} else {
				test.profile(w, r)
			}
		}
		got, ok, err := f.upstream(t, Config{}).Profile(t.Context(), test.named, singapore)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != (test.want.Model != "") || (err != nil) != test.fails {
			t.Errorf("%s: Profile() = %t, %v (-want +got):\n%s", test.name, ok, err, diff)
		}
		if got := strings.Join(asked, " "); got != test.asked {
			t.Errorf("%s: asked %q, want %q", test.name, got, test.asked)
		}
	}
}

func TestTags(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   map[string]string
		ok     bool
		fails  bool
	}{
		{"some", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"tags":[{"key":"a","value":"1"},{"key":"b","value":""}]}`)
		}, map[string]string{"a": "1", "b": ""}, true, false},
		{"none", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }, map[string]string{}, true, false},
		{"no such profile", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, "ResourceNotFoundException", "m") }, nil, false, false},
		{"denied", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "AccessDeniedException", "m") }, nil, false, false},
		{"away", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 503, "ServiceUnavailableException", "m") }, nil, false, true},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, nil, false, true},
	} {
		f := newAWS(t)
		f.answer = test.answer
		got, ok, err := f.upstream(t, Config{}).Tags(t.Context(), applicationARN, singapore)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok || (err != nil) != test.fails {
			t.Errorf("%s: Tags() = %t, %v (-want +got):\n%s", test.name, ok, err, diff)
		}
		r, body := f.last()
		if r.Method != "POST" || r.URL.Path != "/region/ap-southeast-1/listTagsForResource" || body != `{"resourceARN":"`+applicationARN+`"}` {
			t.Errorf("%s: asked %s %s %s, want ListTagsForResource of the profile", test.name, r.Method, r.URL.Path, body)
		}
	}
}

// FuzzReadModel: what is read can be called, and an error means nothing was.
func FuzzReadModel(f *testing.F) {
	f.Add([]byte(details))
	f.Add([]byte(`{"modelDetails":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := readModel(body, singapore)
		if (err != nil) != cmp.Equal(inference.ProfileListing{}, p) || err == nil && (p.Model == "" || p.ID != "" || len(p.Destinations) != 1) {
			t.Errorf("readModel(%q) = %+v, %v, want a model that can be called or an error", body, p, err)
		}
	})
}

// FuzzReadProfile: what is read can be called, and an error means nothing was.
func FuzzReadProfile(f *testing.F) {
	f.Add([]byte(described("ap-south-1", "ap-southeast-1")))
	f.Add([]byte(described("")))
	f.Add([]byte(`{"models":[{"modelArn":"arn:aws:bedrock"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := readProfile(body, singapore)
		if err != nil {
			if diff := cmp.Diff(inference.ProfileListing{}, p); diff != "" {
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
