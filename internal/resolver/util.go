package resolver

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"

	"fairway/backend"
	"fairway/internal/wire/uuid"

	"github.com/dop251/goja"
	"golang.org/x/text/unicode/norm"
)

// Names of the helpers that load and are not available yet.
var (
	extensionNames = []string{"evictFromApiCache", "setSubscriptionFilter", "setSubscriptionInvalidationFilter", "invalidateSubscriptions"}
	unavailable    = map[string][]string{
		"dynamodb": {"toDynamoDB", "toString", "toStringSet", "toNumber", "toNumberSet", "toBinary", "toBinarySet", "toBoolean",
			"toNull", "toList", "toMap", "toMapValues", "toS3Object", "fromS3ObjectJson"},
		"rds": {"toJsonObject"},
		"xml": {"toMap", "toJsonString"},
		"transform": {"toDynamoDBFilterExpression", "toDynamoDBConditionExpression", "toElasticsearchQueryDSL",
			"toSubscriptionFilter"},
	}
)

// notYet is an object whose functions end the call with an error that names them.
func (m *machine) notYet(prefix string, names []string) *goja.Object {
	fs := functions{}
	for _, name := range names {
		fs[name] = func(goja.FunctionCall) goja.Value {
			m.end(&ending{err: &backend.Error{Type: "Code", Message: prefix + name + " is not available yet"}})
			return nil
		}
	}
	return m.functions(prefix, fs)
}

// util is the util object (@aws-appsync/utils 2.1.1).
func (m *machine) util() *goja.Object {
	util := m.functions("util.", functions{
		"escapeJavaScript": m.textToText(escapeJavaScript),
		"urlEncode":        m.textToText(urlEncode),
		"urlDecode": m.textToTextOrError(func(s string) (string, error) {
			out, err := url.QueryUnescape(s)
			if err != nil { // which quotes the text
				return "", errors.New("util.urlDecode: the text is not URL-encoded")
			}
			return out, nil
		}),
		"base64Encode": m.textToText(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"base64Decode": m.textToTextOrError(func(s string) (string, error) {
			out, err := base64.StdEncoding.DecodeString(s)
			return string(out), err
		}),
		"autoId":       func(goja.FunctionCall) goja.Value { return m.vm.ToValue(uuid.Of([16]byte(m.random(16)))) },
		"autoUlid":     func(goja.FunctionCall) goja.Value { return m.vm.ToValue(ulid(m.now(), m.random(10))) },
		"autoKsuid":    func(goja.FunctionCall) goja.Value { return m.vm.ToValue(ksuid(m.now(), m.random(16))) },
		"authType":     func(goja.FunctionCall) goja.Value { return m.vm.ToValue(m.call.AuthType) },
		"error":        m.utilError,
		"appendError":  m.appendError,
		"unauthorized": m.unauthorized,
		"matches": func(call goja.FunctionCall) goja.Value {
			// Java's matches: the whole text must match.
			re := m.regex(`^(?:` + call.Argument(0).String() + `)$`)
			return m.vm.ToValue(re.MatchString(call.Argument(1).String()))
		},
	})
	set(util, "time", m.functions("util.time.", m.timeFunctions()))
	set(util, "math", m.functions("util.math.", m.mathFunctions()))
	set(util, "http", m.functions("util.http.", m.httpFunctions()))
	set(util, "str", m.functions("util.str.", functions{"normalize": m.normalize}))
	for name, helpers := range unavailable {
		set(util, name, m.notYet("util."+name+".", helpers))
	}
	return util
}

func (m *machine) textToText(f func(string) string) func(goja.FunctionCall) goja.Value {
	return func(call goja.FunctionCall) goja.Value { return m.text(f(call.Argument(0).String())) }
}

func (m *machine) textToTextOrError(f func(string) (string, error)) func(goja.FunctionCall) goja.Value {
	return func(call goja.FunctionCall) goja.Value {
		out, err := f(call.Argument(0).String())
		m.check(err)
		return m.text(out)
	}
}

// errorOf is the arguments of util.error and util.appendError: message, type,
// data, info. It reports false for a message or type that is not a string: AppSync
// ignores such a call (aws-appsync-community #384).
func (m *machine) errorOf(call goja.FunctionCall) (*backend.Error, bool) {
	message, ok := call.Argument(0).Export().(string)
	if !ok {
		return nil, false
	}
	e := &backend.Error{Message: message}
	if kind := call.Argument(1); !goja.IsUndefined(kind) && !goja.IsNull(kind) {
		if e.Type, ok = kind.Export().(string); !ok {
			return nil, false
		}
	}
	e.Data, e.Info = m.export(call.Argument(2)), m.export(call.Argument(3))
	return e, true
}

func (m *machine) utilError(call goja.FunctionCall) goja.Value {
	if e, ok := m.errorOf(call); ok {
		m.end(&ending{err: e})
	}
	return goja.Undefined()
}

func (m *machine) appendError(call goja.FunctionCall) goja.Value {
	if e, ok := m.errorOf(call); ok {
		m.call.AppendError(e)
	}
	return goja.Undefined()
}

func (m *machine) unauthorized(goja.FunctionCall) goja.Value {
	m.end(&ending{err: &backend.Error{
		Type:    "Unauthorized",
		Message: fmt.Sprintf("Not Authorized to access %s on type %s", m.call.Info.FieldName, m.call.Info.ParentTypeName),
	}})
	return nil
}

// runtimeObject is the runtime object: earlyReturn(value, {skipTo: "END" | "NEXT"}),
// for request alone, since it skips the data source.
func (m *machine) runtimeObject() *goja.Object {
	return m.functions("runtime.", functions{"earlyReturn": func(call goja.FunctionCall) goja.Value {
		if m.running != request {
			panic(m.vm.NewTypeError("runtime.earlyReturn may be called in request only"))
		}
		skipTo := ""
		if options, ok := call.Argument(1).(*goja.Object); ok {
			if v := options.Get("skipTo"); v != nil {
				skipTo = v.String()
			}
		}
		m.end(&ending{value: &backend.EarlyReturn{Value: m.export(call.Argument(0)), End: skipTo == "END"}})
		return nil
	}})
}

// console logs at debug level: that something was printed, and what only where
// the options ask for content.
func (m *machine) console() *goja.Object {
	printing := func(stream string) func(goja.FunctionCall) goja.Value {
		return func(call goja.FunctionCall) goja.Value {
			log := m.resolver.opts.Log.With("entry", m.resolver.entry, "stream", stream)
			if m.resolver.opts.LogContent {
				log = log.With("content", m.printed(call.Arguments))
			}
			log.DebugContext(context.Background(), "resolver printed")
			return goja.Undefined()
		}
	}
	return m.functions("console.", functions{"log": printing("log"), "error": printing("error")})
}

func (m *machine) printed(args []goja.Value) string {
	parts := make([]string, len(args))
	for i, arg := range args {
		parts[i] = arg.String()
		if _, ok := arg.(*goja.Object); ok {
			parts[i], _ = m.stringify(arg, "")
		}
	}
	return strings.Join(parts, " ")
}

func (m *machine) mathFunctions() functions {
	number := func(call goja.FunctionCall, i int) float64 { return call.Argument(i).ToFloat() }
	return functions{
		"roundNum":     func(c goja.FunctionCall) goja.Value { return m.vm.ToValue(math.Floor(number(c, 0) + 0.5)) },
		"minVal":       func(c goja.FunctionCall) goja.Value { return m.vm.ToValue(math.Min(number(c, 0), number(c, 1))) },
		"maxVal":       func(c goja.FunctionCall) goja.Value { return m.vm.ToValue(math.Max(number(c, 0), number(c, 1))) },
		"randomDouble": func(goja.FunctionCall) goja.Value { return m.vm.ToValue(m.randomFloat()) },
		// From the first number, below the second.
		"randomWithinRange": func(c goja.FunctionCall) goja.Value {
			low, high := math.Floor(number(c, 0)), math.Floor(number(c, 1))
			if !(low < high) {
				panic(m.vm.NewTypeError("util.math.randomWithinRange: the first number must be below the second"))
			}
			return m.vm.ToValue(low + math.Floor(m.randomFloat()*(high-low)))
		},
	}
}

func (m *machine) normalize(call goja.FunctionCall) goja.Value {
	forms := map[string]norm.Form{"nfc": norm.NFC, "nfd": norm.NFD, "nfkc": norm.NFKC, "nfkd": norm.NFKD}
	form, ok := forms[strings.ToLower(call.Argument(1).String())]
	if !ok {
		panic(m.vm.NewTypeError("util.str.normalize: the form is nfc, nfd, nfkc or nfkd"))
	}
	return m.text(form.String(call.Argument(0).String()))
}

// restricted are the headers that a resolver can neither forward nor add (AppSync
// developer guide, "HTTP helpers in util.http").
var restricted = map[string]bool{
	"Transfer-Encoding": true, "Connection": true, "Host": true, "Expect": true, "Keep-Alive": true, "Upgrade": true,
	"Proxy-Authenticate": true, "Proxy-Authorization": true, "Te": true, "Content-Length": true,
}

func (m *machine) httpFunctions() functions {
	return functions{
		"copyHeaders": func(call goja.FunctionCall) goja.Value {
			out := m.vm.NewObject()
			if in, ok := call.Argument(0).(*goja.Object); ok {
				for _, name := range in.Keys() {
					if !restricted[http.CanonicalHeaderKey(name)] {
						set(out, name, in.Get(name))
					}
				}
			}
			return out
		},
		"addResponseHeader": func(call goja.FunctionCall) goja.Value {
			m.addHeader(call.Argument(0).String(), call.Argument(1).String())
			return goja.Undefined()
		},
		"addResponseHeaders": func(call goja.FunctionCall) goja.Value {
			if in, ok := call.Argument(0).(*goja.Object); ok {
				for _, name := range in.Keys() {
					m.addHeader(name, in.Get(name).String())
				}
			}
			return goja.Undefined()
		},
	}
}

func (m *machine) addHeader(name, value string) {
	canonical := http.CanonicalHeaderKey(name)
	if restricted[canonical] || strings.HasPrefix(canonical, "X-Amz") || strings.ContainsAny(name+value, "\r\n") {
		panic(m.vm.NewTypeError("util.http: the response header %s cannot be added", name))
	}
	if m.call.Header == nil {
		m.call.Header = http.Header{}
	}
	m.call.Header.Add(name, value)
}
