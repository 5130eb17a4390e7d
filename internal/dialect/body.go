package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"fairway/internal/inference"
)

// ReadBody reads a request body into the struct that into points to: one JSON
// object in UTF-8, without Excess, whose members the struct has. The error is a
// Validation in the service's words.
func ReadBody(body []byte, into any) error {
	if excess := Excess(body); excess != "" {
		return &inference.Error{Kind: inference.Validation, Op: "decode request", Message: "decode request: " + excess}
	}
	if !utf8.Valid(body) || !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return Malformed("")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err != nil {
		return Malformed(finding(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return Malformed("")
	}
	return nil
}

// WriteBody is the JSON of v, with <, > and & as they are.
func WriteBody(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// AppendString appends s as WriteBody writes it.
func AppendString(to []byte, s string) []byte {
	for i := range len(s) {
		if b := s[i]; b < ' ' || b == '"' || b == '\\' || b >= utf8.RuneSelf {
			return appendEscaped(to, s)
		}
	}
	to = append(to, '"')
	to = append(to, s...)
	return append(to, '"')
}

func appendEscaped(to []byte, s string) []byte {
	text, err := WriteBody(s)
	if err != nil {
		panic(err) // a string always encodes
	}
	return append(to, text...)
}

// Malformed is the Validation for a body that is not of its format. The finding is
// in the words of a JSON Schema validator, "#: required key [prompt] not found";
// empty where the body is no JSON (facts bedrock.md 1.6).
func Malformed(finding string) *inference.Error {
	if finding != "" {
		finding = ": " + finding
	}
	return &inference.Error{
		Kind: inference.Validation, Op: "decode request",
		Message: "Malformed input request" + finding + ", please reformat your input and try again.",
	}
}

// finding is what encoding/json has against a body.
func finding(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		path := "#"
		if e.Field != "" {
			path += "/" + strings.ReplaceAll(e.Field, ".", "/")
		}
		found, _, _ := strings.Cut(e.Value, " ") // "number 1.5"
		return path + ": expected type: " + schemaType(e.Type) + ", found: " + strings.ToUpper(found[:1]) + found[1:]
	}
	if _, key, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return "#: extraneous key [" + strings.Trim(clip(key), `"`) + "] is not permitted"
	}
	return ""
}

func schemaType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaType(t.Elem())
	case reflect.String:
		return "String"
	case reflect.Bool:
		return "Boolean"
	case reflect.Int, reflect.Int64:
		return "Integer"
	case reflect.Float64:
		return "Number"
	case reflect.Slice:
		return "Array"
	}
	return "Object"
}

// clip keeps what a message quotes short.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
