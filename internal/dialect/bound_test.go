package dialect

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

func TestExcess(t *testing.T) {
	list := func(element string, n int) string { return "[" + strings.Repeat(element+",", n-1) + element + "]" }
	for _, test := range []struct{ name, text, want string }{
		{"deep", strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), ""},
		{"deeper", strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), "deeper than 200 levels"},
		{"objects", list("{}", MaxNested-1), ""},
		{"more objects", list("{}", MaxNested), "more than 50000 objects and arrays"},
		{"nulls", list("null", MaxValues), ""},
		{"more nulls", list("null", MaxValues+1), "more than 200000 values"},
		{"text", `"` + strings.Repeat(`[{,\"`, MaxValues) + `"`, ""},
		{"no JSON", `}}]]"\`, ""},
	} {
		got := Excess([]byte(test.text))
		if got != test.want && (test.want == "" || !strings.Contains(got, test.want)) {
			t.Errorf("Excess(%s) = %q, want %q", test.name, got, test.want)
		}
	}
}

// FuzzExtent: of a JSON text, the count of values is never below the real one.
func FuzzExtent(f *testing.F) {
	f.Add(`{"a":[1,{"b":null}," [,{\\\" "],"c":{}}`)
	f.Add(`"\"`)
	f.Fuzz(func(t *testing.T, text string) {
		depth, nested, values := extent([]byte(text))
		var v any
		if json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		d, n, most := size(v)
		if depth < d || nested < n || values+1 < most {
			t.Errorf("extent(%q) = %d, %d, %d, want at least %d, %d, %d", text, depth, nested, values, d, n, most-1)
		}
	})
}

// size is the extent of a decoded value, which has a key given twice once.
func size(v any) (depth, nested, values int) {
	count := func(inner any) {
		d, n, m := size(inner)
		depth, nested, values = max(depth, d), nested+n, values+m
	}
	switch v := v.(type) {
	case []any:
		for _, inner := range v {
			count(inner)
		}
	case map[string]any:
		for _, inner := range v {
			count(inner)
		}
	default:
		return 0, 0, 1
	}
	return depth + 1, nested + 1, values + 1
}

// FuzzIsBase64: what it takes decodes, and what decodes it takes.
func FuzzIsBase64(f *testing.F) {
	for _, text := range []string{"", "A", "AA==", "AAA=", "AAAA", "A===", "====", "AA=A", "A A=", "AA-_", "AAA\n", "AAAA\n", "\nAAAA\r\n\n", "AAAAé"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := base64.StdEncoding.DecodeString(text)
		want := err == nil && text != "" && !strings.ContainsAny(text, "\r\n")
		if got := IsBase64(text); got != want {
			t.Errorf("IsBase64(%q) = %v, want %v", text, got, want)
		}
	})
}

func BenchmarkExcess(b *testing.B) {
	body := []byte(`{"messages":[` + strings.Repeat(`{"role":"user","content":[{"text":"How long does rice boil?"}]},`, 10_000) + `{}]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if excess := Excess(body); excess != "" {
			b.Fatal(excess)
		}
	}
}

func BenchmarkIsBase64(b *testing.B) {
	text := strings.Repeat(strconv.Itoa(1<<30)+"ab", 100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if !IsBase64(text) {
			b.Fatal("IsBase64 = false, want true")
		}
	}
}
