package fairway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"fairway"
	"fairway/backend"
	"fairway/internal/sample"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sonnet = "apac.anthropic.claude-sonnet-4-20250514-v1:0"
	prompt = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"messages":[{"role":"user","content":"chicken, rice, carrots"}]}`
)

// newGateway is a Gateway whose regions do not wait, closed with the test.
func newGateway(t *testing.T, c fairway.Config) *fairway.Gateway {
	t.Helper()
	c.Instant = true
	g, err := fairway.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// invoke calls sonnet with the gateway's bearer key.
func invoke(g *fairway.Gateway) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:20002/model/"+sonnet+"/invoke", strings.NewReader(prompt))
	r.Header.Set("Authorization", "Bearer "+g.Credentials().BearerKey)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func loadSample(t *testing.T) *backend.Backend {
	t.Helper()
	b, err := fairway.Load(t.Context(), sample.Files())
	if err != nil {
		t.Fatalf("Load(sample) = %v", err)
	}
	return b
}

func TestNewServesBedrockAlone(t *testing.T) {
	g := newGateway(t, fairway.Config{Region: "ap-southeast-1"})
	w := invoke(g)
	if ran := w.Header().Get("X-Fairway-Destination-Region"); w.Code != http.StatusOK || ran != "ap-southeast-1" {
		t.Errorf("invoke = %d from %q, want 200 from ap-southeast-1: %s", w.Code, ran, w.Body)
	}
	have := g.Credentials()
	if have.Region != "ap-southeast-1" || have.AccessKeyID == "" || have.SecretAccessKey == "" || have.APIKey != "" {
		t.Errorf("Credentials() have region %q, access key %t, secret %t, API key %t, want ap-southeast-1, keys, no API key",
			have.Region, have.AccessKeyID != "", have.SecretAccessKey != "", have.APIKey != "")
	}
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:20002/graphql", strings.NewReader(`{"query":"{a}"}`))
	r.Header.Set("Content-Type", "application/json")
	w = httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != http.StatusNotFound {
		t.Errorf("POST /graphql without a backend = %d, want 404", w.Code)
	}
}

func TestDownFailsOver(t *testing.T) {
	g := newGateway(t, fairway.Config{Region: "ap-southeast-1", Down: []string{"ap-southeast-1", "ap-northeast-1"}})
	w := invoke(g)
	if ran := w.Header().Get("X-Fairway-Destination-Region"); ran != "ap-northeast-2" || w.Header().Get("X-Fairway-Attempts") != "3" {
		t.Errorf("invoke ran in %q after %s attempts, want ap-northeast-2 after 3", ran, w.Header().Get("X-Fairway-Attempts"))
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []fairway.Config{
		{Down: []string{"moon-1"}},
		{Down: []string{"ap-southeast-1", ""}},
		{BaseURL: "http://[::1"},
		{Model: "llama"},
		{Responses: "nowhere.yaml"},
	} {
		if g, err := fairway.New(c); err == nil || g != nil {
			t.Errorf("New(%+v) = %v, %v, want an error alone", c, g, err)
		}
	}
}

func TestLoadSample(t *testing.T) {
	b := loadSample(t)
	if len(b.Operations) != 1 || b.Operations[0].Field != "askBedrock" || len(b.Findings) != 0 {
		t.Errorf("Load(sample) has operations %v, findings %v, want askBedrock alone", b.Operations, b.Findings)
	}
}

func TestLoadRefuses(t *testing.T) {
	_, err := fairway.Load(t.Context(), fstest.MapFS{})
	if err == nil || !strings.Contains(err.Error(), "amplify/backend.ts") {
		t.Errorf("Load of an empty folder = %v, want an error that names amplify/backend.ts", err)
	}
}

func TestBackendAnswersOverGraphQL(t *testing.T) {
	g := newGateway(t, fairway.Config{Backend: loadSample(t), Down: []string{"ap-southeast-1"}})
	have := g.Credentials()
	if have.Region != "ap-southeast-1" {
		t.Errorf("Credentials().Region = %q, want the data source's ap-southeast-1", have.Region)
	}
	w := post(t, g, `{"query":"query($i:[String]){askBedrock(ingredients:$i){body error}}","variables":{"i":["chicken"]}}`)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Unauthorized") {
		t.Errorf("askBedrock with an API key = %d %s, want 200 with errorType Unauthorized", w.Code, w.Body)
	}
}

// TestGoBackendCallsBedrock: a backend written in Go asks through its data source.
func TestGoBackendCallsBedrock(t *testing.T) {
	const endpoint = "https://bedrock-runtime.ap-southeast-1.amazonaws.com"
	b := &backend.Backend{
		Schema: "type Query { ask: Int }",
		DataSources: []backend.DataSource{{
			Name: "bedrock", Kind: backend.HTTP, Endpoint: endpoint,
			SigningService: "bedrock", SigningRegion: "ap-southeast-1", Principal: "asker",
		}},
		Principals: []backend.Principal{{Name: "asker", Statements: []backend.Statement{{
			Effect: "Allow", Actions: []string{"bedrock:InvokeModel"}, Resources: []string{
				"arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/" + sonnet,
				"arn:aws:bedrock:ap-south-2::foundation-model/*",
			},
		}}}},
		Operations: []backend.Operation{{Type: "Query", Field: "ask", Pipeline: []backend.Function{{
			DataSource: "bedrock",
			Resolver: backend.Funcs{
				OnRequest: func(*backend.Context) (any, error) {
					return &backend.HTTPRequest{Method: "POST", ResourcePath: "/model/" + sonnet + "/invoke",
						Headers: map[string]string{"Content-Type": "application/json"}, Body: prompt}, nil
				},
				OnResponse: func(c *backend.Context) (any, error) { return c.Result.(map[string]any)["statusCode"], nil },
			},
		}}}},
		Authorization: backend.Authorization{Default: backend.APIKey},
	}
	for _, c := range []struct {
		strict bool
		down   []string
		want   string
	}{
		{false, nil, `{"data":{"ask":200}}`},                    // narrow: the one region that is allowed
		{true, nil, `{"data":{"ask":403}}`},                     // strict: seven denied destinations refuse
		{false, []string{"ap-south-2"}, `{"data":{"ask":503}}`}, // no other region is permitted
	} {
		g := newGateway(t, fairway.Config{Backend: b, Strict: c.strict, Down: c.down})
		w := post(t, g, `{"query":"{ask}"}`)
		if got := strings.TrimSpace(w.Body.String()); got != c.want {
			t.Errorf("ask with strict %t, down %v = %s, want %s", c.strict, c.down, got, c.want)
		}
	}
}

// post sends a GraphQL request with the gateway's API key.
func post(t *testing.T, g *fairway.Gateway, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:20002/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Api-Key", g.Credentials().APIKey)
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

// A Bedrock whose first region is down, as an http.Handler.
func ExampleNew() {
	bedrock, err := fairway.New(fairway.Config{Region: "ap-southeast-1", Down: []string{"ap-southeast-1"}, Instant: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bedrock.Close()

	body := `{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":"Hi"}]}`
	r := httptest.NewRequest("POST", "/model/apac.anthropic.claude-sonnet-4-20250514-v1:0/invoke", strings.NewReader(body))
	r.Host = "127.0.0.1"
	r.Header.Set("Authorization", "Bearer "+bedrock.Credentials().BearerKey)
	w := httptest.NewRecorder()
	bedrock.ServeHTTP(w, r)

	fmt.Println(w.Code, w.Header().Get("X-Fairway-Destination-Region"))
	// Output: 200 ap-northeast-1
}
