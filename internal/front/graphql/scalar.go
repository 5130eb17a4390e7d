package graphql

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// scalar is how values of a scalar type come in and go out.
type scalar struct {
	// read takes a JSON term (string, bool, json.Number, list or map) to what a
	// resolver gets: string, bool, int64, float64 or, for AWSJSON, any of them.
	read func(v any) (any, bool)
	// write appends the JSON of what a resolver gave.
	write func(out []byte, v any) ([]byte, bool)
}

// scalars are GraphQL's and AppSync's (AppSync developer guide, "Scalar types in
// GraphQL"). A scalar that is not here passes as it is.
var scalars = map[string]scalar{
	"Int":          {readInt, writeInt},
	"Float":        {readFloat, writeFloat},
	"String":       {readString, writeString},
	"Boolean":      {readBoolean, writeBoolean},
	"ID":           {readID, writeString},
	"AWSTimestamp": {readTimestamp, writeTimestamp},
	"AWSJSON":      {readJSON, writeJSON},
	"AWSDate":      formatted(isDate),
	"AWSTime":      formatted(isTime),
	"AWSDateTime":  formatted(isDateTime),
	"AWSEmail":     formatted(isEmail),
	"AWSURL":       formatted(isURL),
	"AWSPhone":     formatted(isPhone),
	"AWSIPAddress": formatted(isIPAddress),
}

var errNotOfType = errors.New("value does not fit its type")

// readLeaf takes a JSON term to the value of a scalar or enum type.
func readLeaf(def *ast.Definition, v any) (any, error) {
	if def.Kind == ast.Enum {
		if s, ok := v.(string); ok && def.EnumValues.ForName(s) != nil {
			return s, nil
		}
		return nil, errNotOfType
	}
	s, known := scalars[def.Name]
	if !known {
		return v, nil
	}
	value, ok := s.read(v)
	if !ok {
		return nil, errNotOfType
	}
	return value, nil
}

// leafLiteral is readLeaf for a value written in a document.
func leafLiteral(v *ast.Value, def *ast.Definition) (any, error) {
	switch v.Kind {
	case ast.IntValue, ast.FloatValue:
		return readLeaf(def, json.Number(v.Raw))
	case ast.StringValue, ast.BlockValue:
		return readLeaf(def, v.Raw)
	case ast.BooleanValue:
		return readLeaf(def, v.Raw == "true")
	case ast.EnumValue:
		if def.Kind == ast.Enum {
			return readLeaf(def, v.Raw)
		}
	case ast.ObjectValue, ast.ListValue:
		if _, known := scalars[def.Name]; !known {
			return v.Value(nil)
		}
	}
	return nil, errNotOfType
}

func readInt(v any) (any, bool) {
	n, ok := integer(v)
	return n, ok && n >= math.MinInt32 && n <= math.MaxInt32
}

func readTimestamp(v any) (any, bool) {
	n, ok := integer(v)
	return n, ok
}

func readFloat(v any) (any, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, false
	}
	f, err := n.Float64()
	return f, err == nil
}

func readString(v any) (any, bool) {
	s, ok := v.(string)
	return s, ok
}

func readBoolean(v any) (any, bool) {
	b, ok := v.(bool)
	return b, ok
}

func readID(v any) (any, bool) {
	if n, ok := integer(v); ok {
		return strconv.FormatInt(n, 10), true
	}
	return readString(v)
}

// readJSON parses the string that AWSJSON is on the wire: resolvers get the value.
func readJSON(v any) (any, bool) {
	s, ok := v.(string)
	if !ok {
		return nil, false
	}
	var parsed any
	if json.Unmarshal([]byte(s), &parsed) != nil {
		return nil, false
	}
	return parsed, true
}

// integer is the whole number that v is, in any of the forms a resolver or a
// request may have it.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
			return int64(v), true
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, true
		}
		if f, err := v.Float64(); err == nil {
			return integer(f)
		}
	}
	return 0, false
}

// number is integer for any number, and for numbers written as strings, which
// graphql-java takes on the way out.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case string:
		return number(json.Number(v))
	}
	n, ok := integer(v)
	return float64(n), ok
}

func writeInt(out []byte, v any) ([]byte, bool) {
	n, ok := integer(v)
	if !ok {
		f, isNumber := number(v)
		if n, ok = integer(f); !isNumber || !ok {
			return out, false
		}
	}
	return strconv.AppendInt(out, n, 10), n >= math.MinInt32 && n <= math.MaxInt32
}

func writeTimestamp(out []byte, v any) ([]byte, bool) {
	n, ok := integer(v)
	return strconv.AppendInt(out, n, 10), ok
}

func writeFloat(out []byte, v any) ([]byte, bool) {
	f, ok := number(v)
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return out, false
	}
	return appendNumber(out, f), true
}

func appendNumber(out []byte, f float64) []byte {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(out, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(out, f, 'f', -1, 64)
}

// writeString takes numbers and booleans too, as text.
func writeString(out []byte, v any) ([]byte, bool) {
	switch v := v.(type) {
	case string:
		return appendString(out, v), true
	case bool:
		return appendString(out, strconv.FormatBool(v)), true
	case json.Number:
		return appendString(out, v.String()), true
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return out, false
		}
		return append(appendNumber(append(out, '"'), v), '"'), true
	}
	n, ok := integer(v)
	return append(strconv.AppendInt(append(out, '"'), n, 10), '"'), ok
}

func writeBoolean(out []byte, v any) ([]byte, bool) {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(out, v), true
	case string:
		b := strings.EqualFold(v, "true")
		return strconv.AppendBool(out, b), b || strings.EqualFold(v, "false")
	}
	f, ok := number(v)
	return strconv.AppendBool(out, f != 0), ok
}

// writeJSON writes the value's JSON as a string.
func writeJSON(out []byte, v any) ([]byte, bool) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return out, false
	}
	return appendString(out, strings.TrimSuffix(buf.String(), "\n")), true
}

// formatted is a scalar whose values are strings of one format, both ways.
func formatted(valid func(string) bool) scalar {
	return scalar{
		read: func(v any) (any, bool) {
			s, ok := v.(string)
			return s, ok && valid(s)
		},
		write: func(out []byte, v any) ([]byte, bool) {
			s, ok := v.(string)
			if !ok || !valid(s) {
				return out, false
			}
			return appendString(out, s), true
		},
	}
}

func isDate(s string) bool {
	return matchesAny(s, "2006-01-02", "2006-01-02Z07:00", "2006-01-02Z07:00:00")
}

// Fractions of a second need no layout of their own: time.Parse takes them.
func isTime(s string) bool {
	return matchesAny(s, "15:04", "15:04Z07:00", "15:04:05", "15:04:05Z07:00", "15:04:05Z07:00:00")
}

func isDateTime(s string) bool {
	return matchesAny(s, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z07:00:00")
}

func matchesAny(s string, layouts ...string) bool {
	for _, layout := range layouts {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

// isURL wants a scheme and no empty segment in the path.
func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "") && !strings.Contains(u.Path, "//")
}

// isPhone takes an international number, or one of the North American plan
// without its country code. Spaces and hyphens may separate digits.
func isPhone(s string) bool {
	digits := strings.NewReplacer(" ", "", "-", "").Replace(s)
	digits, international := strings.CutPrefix(digits, "+")
	if strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) {
		return false
	}
	if international {
		return len(digits) >= 7 && len(digits) <= 15
	}
	return len(digits) == 10 || len(digits) == 11 && digits[0] == '1'
}

func isIPAddress(s string) bool {
	if _, err := netip.ParsePrefix(s); err == nil {
		return true
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}
