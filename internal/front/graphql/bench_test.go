package graphql

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fairway/backend"
	"fairway/internal/inference"
)

func seedFront(b *testing.B) *Front {
	result := map[string]any{"statusCode": 200, "headers": map[string]any{"content-type": "application/json"}, "body": strings.Repeat("Fried rice. ", 108)}
	return harness{
		schema:     deployed(b, "seed"),
		operations: []backend.Operation{seedOperation(seedResolver)},
		sources: map[string]DataSource{"bedrockDS": sourceFunc(func(context.Context, any) (any, *inference.Record, error) {
			return result, nil, nil
		})},
	}.front(b)
}

const seedBody = `{"query":"query ($ingredients: [String]) {\n  askBedrock(ingredients: $ingredients) {\n    body\n    error\n  }\n}\n","variables":{"ingredients":["chicken","rice","carrots"]}}`

func benchmarkServe(b *testing.B, f *Front, body func() string) {
	r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	r.Header.Set("Authorization", "user")
	r.Header.Set("X-Amz-User-Agent", "aws-amplify/6.22.1 api/1 framework/0")
	b.ReportAllocs()
	for b.Loop() {
		text := body()
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"data":{"askBedrock":{"body":"Fried`) {
			b.Fatalf("answer = %d %s", w.Code, w.Body)
		}
	}
}

// BenchmarkSeed is the seed's query through ServeHTTP with a Go resolver and a
// data source that costs nothing: what the front itself takes of a request.
func BenchmarkSeed(b *testing.B) {
	b.Run("document=cached", func(b *testing.B) {
		benchmarkServe(b, seedFront(b), func() string { return seedBody })
	})
	b.Run("document=new", func(b *testing.B) {
		f := seedFront(b)
		benchmarkServe(b, f, func() string {
			f.documents.Purge()
			return seedBody
		})
	})
}

// BenchmarkIntrospection is the query of every GraphQL explorer on the seed's schema.
func BenchmarkIntrospection(b *testing.B) {
	f := harness{schema: deployed(b, "seed")}.front(b)
	b.ReportAllocs()
	for b.Loop() {
		if w, _ := ask(b, f, introspectionQuery, nil); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

// BenchmarkLimits is the slowest document found that the default limits let
// through: keys selected as often as allowed under inline fragments as deep as
// allowed, at each level of which validation compares all pairs.
func BenchmarkLimits(b *testing.B) {
	f := harness{operations: wideOperations()}.front(b)
	fields := strings.Repeat("id name course price stock vegan tags extra day ", 25)
	query := "{dish{" + strings.Repeat("...{", 22) + fields + strings.Repeat("}", 22) + "}}"
	b.ReportAllocs()
	for b.Loop() {
		f.documents.Purge()
		if _, err := f.document(query); err != nil {
			b.Fatal(err)
		}
	}
}
