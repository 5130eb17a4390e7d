package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"fairway/internal/inference"
)

// endpoints gives each region a listener of its own, of one far server.
func endpoints(t *testing.T, far http.Handler, regions []inference.Region) (map[inference.Region]*httptest.Server, string) {
	t.Helper()
	at := map[inference.Region]*httptest.Server{}
	var written []string
	for _, region := range regions {
		server := httptest.NewServer(far)
		t.Cleanup(server.Close)
		at[region] = server
		written = append(written, fmt.Sprintf("%s: %q", region, server.URL))
	}
	return at, "{" + strings.Join(written, ", ") + "}"
}

// kill ends a listener and whatever is connected to it, as a region that goes down
// does.
func kill(server *httptest.Server) {
	server.Listener.Close()
	server.CloseClientConnections()
}

// TestRegionKilledUnderLoad: one after the other, regions go down while calls run.
// None that is not a stream fails as long as one is up, and streams fail only when
// their content had begun.
func TestRegionKilledUnderLoad(t *testing.T) {
	const callers, calls, each = 8, 20, 20 // calls between two deaths
	far, _ := opened(t, "simulate: {speed: 100, hidden_routing: true}\n"+caller)
	at, written := endpoints(t, far, apac())
	near := listening(t, "model: bedrock\nbedrock: {endpoint: http://127.0.0.1:1, endpoints: "+written+"}\n"+caller, asApp(t))
	tr := transport(t, false)

	var begun atomic.Int64
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			c := modelClient(near.url(), tr) // of its own: streams of one share a buffer (smithy-go 1.28.8)
			for range calls {
				if n := begun.Add(1); n%each == 0 && n < each*int64(len(apac())) {
					kill(at[apac()[n/each-1]])
				}
				if i%2 == 0 {
					if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(profile), Body: []byte(prompt)}); err != nil {
						t.Errorf("InvokeModel with a region up = %v", err)
					}
					continue
				}
				out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(profile), Body: []byte(prompt)})
				if err != nil {
					t.Errorf("a stream did not begin with a region up: %v", err)
					continue
				}
				for range out.GetStream().Events() {
				}
				out.GetStream().Close()
			}
		})
	}
	wg.Wait()
	drained(t, near.room)
	answer, text := askBearer(t, transport(t, false), near.url()+"/region/ap-southeast-1/model/"+profile+"/invoke", prompt)
	if answer.StatusCode != http.StatusOK || answer.Header.Get("X-Fairway-Attempts") == "" {
		t.Errorf("InvokeModel after the load = %d %s, want an answer", answer.StatusCode, text)
	}
}

// TestStreamFailsOverBeforeContent: a region that ends its stream before it has
// said anything is left for the next.
func TestStreamFailsOverBeforeContent(t *testing.T) {
	far, _ := opened(t, "simulate: {speed: instant, hidden_routing: true}\n"+caller)
	at, written := endpoints(t, far, apac())
	at[entry].Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	near := listening(t, "model: bedrock\nbedrock: {endpoints: "+written+"}\n"+caller, asApp(t))
	if got := invokedAsStream(t, modelClient(near.url(), transport(t, true))); got == "" {
		t.Error("the stream has no text")
	}
	if line := near.wait(t, "call"); line["outcome"] != "ok" || line["attempts"] != "2" {
		t.Errorf("call = %v, want it answered by the second region", line)
	}
}
