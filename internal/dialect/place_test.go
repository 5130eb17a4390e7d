package dialect

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func whole(text string) Place { return Place{0, len(text)} }

func TestMembers(t *testing.T) {
	for text, want := range map[string]map[string]string{
		` { "a" : [1, {"b":"]"}] , "c\"\\" : "x\\\"y" , "d":tru , "e":-1.5e3}`: {"a": `[1, {"b":"]"}]`, `c"\`: `"x\\\"y"`, "d": "tru", "e": "-1.5e3"},
		`{}`: {}, `[]`: {}, ``: {}, `{"a"`: {}, `{"a":`: {}, `{"a":1 "b":2}`: {"a": "1"}, `{"a":"`: {"a": `"`}, `{"`: {}, `{"a":1,`: {"a": "1"},
	} {
		got := map[string]string{}
		for name, at := range Members([]byte(text), whole(text)) {
			got[name] = text[at.From:at.To]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Members(%s) (-want +got):\n%s", text, diff)
		}
	}
}

func TestElements(t *testing.T) {
	for text, want := range map[string][]string{
		` [ {"a":[]} , "]," ,3]`: {`{"a":[]}`, `"],"`, "3"},
		`[]`:                     nil, `{}`: nil, `[`: nil, `[1,`: {"1"}, `[1 2]`: {"1"},
	} {
		var got []string
		for at := range Elements([]byte(text), whole(text)) {
			got = append(got, text[at.From:at.To])
		}
		if !slices.Equal(got, want) {
			t.Errorf("Elements(%s) = %q, want %q", text, got, want)
		}
	}
}

func TestStrings(t *testing.T) {
	for text, want := range map[string][]string{
		`{"a":["b\"c",1,""]}`: {"a", `b\"c`, ""},
		`"\\" "a`:             {`\\`, ""},
		`1`:                   nil, ``: nil, `"`: {""},
	} {
		var got []string
		for at := range Strings([]byte(text)) {
			got = append(got, text[at.From:at.To])
		}
		if !slices.Equal(got, want) {
			t.Errorf("Strings(%s) = %q, want %q", text, got, want)
		}
	}
}

// FuzzPlaces: places are those of the values that encoding/json finds, and no text
// breaks the walk.
func FuzzPlaces(f *testing.F) {
	f.Add([]byte(` {"a":[1,"\\\"",{"b":null}],"c":{}} `))
	f.Add([]byte(`[1,[2,"]"],{}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		in := Place{0, len(text)}
		members, elements := map[string]json.RawMessage{}, []json.RawMessage{}
		for name, at := range Members(text, in) {
			members[name] = text[at.From:at.To]
		}
		for at := range Elements(text, in) {
			elements = append(elements, text[at.From:at.To])
		}
		for at := range Strings(text) {
			_ = text[at.From:at.To]
		}
		var object map[string]json.RawMessage
		var array []json.RawMessage
		same := func(a, b json.RawMessage) bool { return string(a) == string(b) }
		if json.Unmarshal(text, &object) == nil && object != nil && !maps.EqualFunc(object, members, same) {
			t.Errorf("Members(%q) = %q, want %q", text, members, object)
		}
		if json.Unmarshal(text, &array) == nil && array != nil && !slices.EqualFunc(array, elements, same) {
			t.Errorf("Elements(%q) = %q, want %q", text, elements, array)
		}
	})
}
