package dialect

import (
	"strings"
	"testing"
)

func TestReadBody(t *testing.T) {
	type inner struct {
		Count int      `json:"count"`
		Names []string `json:"names"`
		Share *float64 `json:"share"`
		On    bool     `json:"on"`
	}
	for body, want := range map[string]string{
		`{"inner":{"count":1,"names":["a"],"share":0.5,"on":true}}`: "",
		` {} `:                                   "",
		``:                                       "Malformed input request, please reformat your input and try again.",
		`null`:                                   "Malformed input request, please reformat your input and try again.",
		`[]`:                                     "Malformed input request, please reformat your input and try again.",
		`{"inner":{}`:                            "Malformed input request, please reformat your input and try again.",
		`{} {}`:                                  "Malformed input request, please reformat your input and try again.",
		`{"inner":{"names":["` + "\xff" + `"]}}`: "Malformed input request, please reformat your input and try again.",
		`{"other":1}`:                            "Malformed input request: #: extraneous key [other] is not permitted, please reformat your input and try again.",
		`{"inner":{"count":"1"}}`:                "Malformed input request: #/inner/count: expected type: Integer, found: String, please reformat your input and try again.",
		`{"inner":{"count":1.5}}`:                "Malformed input request: #/inner/count: expected type: Integer, found: Number, please reformat your input and try again.",
		`{"inner":{"share":"1"}}`:                "Malformed input request: #/inner/share: expected type: Number, found: String, please reformat your input and try again.",
		`{"inner":{"names":{}}}`:                 "Malformed input request: #/inner/names: expected type: Array, found: Object, please reformat your input and try again.",
		`{"inner":{"on":1}}`:                     "Malformed input request: #/inner/on: expected type: Boolean, found: Number, please reformat your input and try again.",
		`{"inner":[]}`:                           "Malformed input request: #/inner: expected type: Object, found: Array, please reformat your input and try again.",
		`{"` + strings.Repeat("k", 100) + `":1}`: "Malformed input request: #: extraneous key [" + strings.Repeat("k", 63) + "...] is not permitted, please reformat your input and try again.",
	} {
		var into struct {
			Inner inner `json:"inner"`
		}
		got := ""
		if err := ReadBody([]byte(body), &into); err != nil {
			got = err.Error()
		}
		if want != "" {
			want = "decode request: ValidationException: " + want
		}
		if got != want {
			t.Errorf("ReadBody(%s) = %q, want %q", body, got, want)
		}
	}
}

func TestReadBodyDepth(t *testing.T) {
	var into struct{ A any }
	for nested, ok := range map[int]bool{MaxDepth - 1: true, MaxDepth: false, 1_000_000: false} {
		body := `{"A":` + strings.Repeat("[", nested) + `"]]]]{\"{{{\\"` + strings.Repeat("]", nested) + `}`
		if err := ReadBody([]byte(body), &into); (err == nil) != ok {
			t.Errorf("ReadBody(%d levels) error = %v, want one: %v", nested+1, err, !ok)
		}
	}
}

func TestWriteBody(t *testing.T) {
	got, err := WriteBody(map[string]string{"a": "<b> & c"})
	if want := `{"a":"<b> & c"}`; err != nil || string(got) != want {
		t.Errorf("WriteBody() = %s, %v, want %s", got, err, want)
	}
	if got, err := WriteBody(make(chan int)); err == nil {
		t.Errorf("WriteBody(a channel) = %s, want an error", got)
	}
}
