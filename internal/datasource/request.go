package datasource

import (
	"bytes"
	"encoding/json"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"fairway/backend"
	"fairway/internal/inference"
)

// methods are the HTTP methods a data source may use (@aws-appsync/utils 2.1.1,
// HTTPRequest).
var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// reserved are the headers that belong to the data source (AppSync developer
// guide, "HTTP data source"), in lower case with hyphens.
var reserved = []string{"host", "connection", "user-agent", "expectation", "expect", "transfer-encoding", "content-length"}

// contentTypes are the media types that a request may carry, beside text/*
// (AppSync developer guide, "HTTP data source").
var contentTypes = []string{
	"application/xml", "application/json", "application/soap+xml", "application/x-amz-json-1.0",
	"application/x-amz-json-1.1", "application/vnd.api+json", "application/x-ndjson",
}

// malformed is AppSync's error for a request object it cannot use.
func malformed(message string) *backend.Error {
	return &backend.Error{Type: "MappingTemplate", Message: message}
}

// missing is AppSync's text for a field that the request object lacks.
func missing(field string) *backend.Error {
	return malformed("Value for field '$[" + field + "]' not found.")
}

// invalid is a field of the request object that cannot be used, and why.
func invalid(field, why string) *backend.Error {
	return malformed("Value for field '$[" + field + "]' is not valid: " + why + ".")
}

// request is the HTTP request under endpoint that value asks for.
func request(endpoint string, value any) (*inference.HTTPRequest, *backend.Error) {
	r, err := decode(value)
	if err != nil {
		return nil, err
	}
	if r.ResourcePath == "" {
		return nil, missing("resourcePath")
	}
	if r.Method == "" {
		return nil, missing("method")
	}
	if !slices.Contains(methods, r.Method) {
		return nil, invalid("method", "it must be one of "+strings.Join(methods, ", "))
	}
	if r.ResourcePath[0] != '/' {
		return nil, invalid("resourcePath", "it must begin with a slash")
	}
	if err := checkHeaders(r.Headers); err != nil {
		return nil, err
	}
	if len(r.Body) > MaxBody {
		return nil, invalid("params.body", "it is larger than 5 MB")
	}
	req := &inference.HTTPRequest{
		Method: r.Method,
		URL:    endpoint + target(r.ResourcePath, r.Query),
		Header: canonical(r.Headers),
	}
	if r.Body != "" {
		req.Body = []byte(r.Body)
	}
	return req, nil
}

// decode reads the forms that a resolver may return.
func decode(value any) (*backend.HTTPRequest, *backend.Error) {
	switch v := value.(type) {
	case *backend.HTTPRequest:
		if v == nil {
			return nil, missing("resourcePath")
		}
		return v, nil
	case backend.HTTPRequest:
		return &v, nil
	case map[string]any:
		return decodeMap(v)
	case nil:
		return nil, missing("resourcePath")
	default:
		return nil, malformed("The request is not an object.")
	}
}

func decodeMap(m map[string]any) (*backend.HTTPRequest, *backend.Error) {
	var r backend.HTTPRequest
	var err *backend.Error
	if r.ResourcePath, err = text(m, "resourcePath"); err != nil {
		return nil, err
	}
	if r.Method, err = text(m, "method"); err != nil {
		return nil, err
	}
	params, err := object(m["params"], "params")
	if err != nil {
		return nil, err
	}
	if r.Query, err = decodeQuery(params["query"]); err != nil {
		return nil, err
	}
	if r.Headers, err = decodeHeaders(params["headers"]); err != nil {
		return nil, err
	}
	body, wasObject, err := decodeBody(params["body"])
	if err != nil {
		return nil, err
	}
	r.Body = body
	if wasObject && !hasContentType(r.Headers) {
		if r.Headers == nil {
			r.Headers = map[string]string{}
		}
		r.Headers["Content-Type"] = "application/json"
	}
	return &r, nil
}

func text(m map[string]any, field string) (string, *backend.Error) {
	switch v := m[field].(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	default:
		return "", invalid(field, "it must be a string")
	}
}

func object(v any, field string) (map[string]any, *backend.Error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	default:
		return nil, invalid(field, "it must be an object")
	}
}

func decodeHeaders(v any) (map[string]string, *backend.Error) {
	m, err := object(v, "params.headers")
	if err != nil || len(m) == 0 {
		return nil, err
	}
	headers := make(map[string]string, len(m))
	for name, value := range m {
		s, ok := value.(string)
		if !ok {
			return nil, invalid("params.headers."+name, "it must be a string")
		}
		headers[name] = s
	}
	return headers, nil
}

// decodeQuery takes numbers and booleans beside strings, as they would read in a URL.
func decodeQuery(v any) (map[string]string, *backend.Error) {
	m, err := object(v, "params.query")
	if err != nil || len(m) == 0 {
		return nil, err
	}
	query := make(map[string]string, len(m))
	for name, value := range m {
		switch value := value.(type) {
		case nil:
		case string:
			query[name] = value
		case bool:
			query[name] = strconv.FormatBool(value)
		case int64:
			query[name] = strconv.FormatInt(value, 10)
		case float64:
			query[name] = strconv.FormatFloat(value, 'f', -1, 64)
		default:
			return nil, invalid("params.query."+name, "it must be a string")
		}
	}
	return query, nil
}

// decodeBody is the body's text and whether it was written here as JSON: a
// resolver may return an object in place of a string.
func decodeBody(v any) (body string, wasObject bool, err *backend.Error) {
	switch v := v.(type) {
	case nil:
		return "", false, nil
	case string:
		return v, false, nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return "", false, invalid("params.body", "it has no JSON form")
	}
	return strings.TrimSuffix(buf.String(), "\n"), true, nil
}

func hasContentType(headers map[string]string) bool {
	for name := range headers {
		if strings.EqualFold(name, "content-type") {
			return true
		}
	}
	return false
}

func checkHeaders(headers map[string]string) *backend.Error {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		field, value := "params.headers."+name, headers[name]
		switch folded := strings.ToLower(strings.ReplaceAll(name, "_", "-")); {
		case !isToken(name):
			return invalid("params.headers", "a header name has characters that HTTP does not allow")
		case slices.Contains(reserved, folded):
			return invalid(field, "this header cannot be set")
		case strings.ContainsFunc(value, isControl):
			return invalid(field, "it has control characters")
		case folded == "content-type" && !allowedType(value):
			return invalid(field, "it must be text/* or one of "+strings.Join(contentTypes, ", "))
		}
	}
	return nil
}

func allowedType(value string) bool {
	media, _, err := mime.ParseMediaType(value)
	return err == nil && (strings.HasPrefix(media, "text/") || slices.Contains(contentTypes, media))
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// isToken reports whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r >= 0x80 || !isAlphanumeric(byte(r)) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// target is path and query as they go on the wire. The path stays as the
// resolver wrote it, a colon in a model id included; only what a request line
// cannot hold is percent-encoded, so nothing in it can end the path or the line.
func target(path string, query map[string]string) string {
	var b strings.Builder
	b.Grow(len(path) + 32*len(query))
	for i := range len(path) {
		c := path[i]
		if isAlphanumeric(c) || strings.IndexByte("/:@-._~!$&'()*+,;=?", c) >= 0 || c == '%' && isEscape(path[i:]) {
			b.WriteByte(c)
			continue
		}
		const hex = "0123456789ABCDEF"
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	separator := byte('?')
	if strings.Contains(path, "?") {
		separator = '&'
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		b.WriteByte(separator)
		b.WriteString(escapeQuery(name) + "=" + escapeQuery(query[name]))
		separator = '&'
	}
	return b.String()
}

// escapeQuery writes a space as %20, which signature version 4 wants, not as a plus.
func escapeQuery(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func isEscape(s string) bool {
	return len(s) >= 3 && isHex(s[1]) && isHex(s[2])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
