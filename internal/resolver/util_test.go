package resolver

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fairway/backend"
)

// signal is a logger and a channel that is closed when it first logs.
func signal(t *testing.T) (*slog.Logger, <-chan struct{}) {
	t.Helper()
	logged := make(chan struct{}, 100)
	return slog.New(notifier{slog.DiscardHandler, logged}), logged
}

type notifier struct {
	slog.Handler
	logged chan struct{}
}

func (n notifier) Enabled(context.Context, slog.Level) bool  { return true }
func (n notifier) WithAttrs([]slog.Attr) slog.Handler        { return n }
func (n notifier) Handle(context.Context, slog.Record) error { n.logged <- struct{}{}; return nil }

// fixed is a clock and randomness that do not change.
func fixed() Options {
	return Options{
		Now:  func() time.Time { return time.Date(2018, 2, 6, 19, 1, 35, 749_000_000, time.UTC) },
		Rand: zeros{},
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestExpressions(t *testing.T) {
	tests := map[string]string{
		// JSON.
		`JSON.parse("{") === "" && JSON.parse("") === "" && JSON.parse(undefined) === "" && JSON.parse("[1,]") === ""`:   "true",
		`JSON.parse("[01]") === "" && JSON.parse("1 2") === "" && JSON.parse("nul") === "" && JSON.parse('"\t"') === ""`: "true",
		`JSON.parse(" [1, -2.5e1, \"a\\n\\u00e9\", true, null, {}] ")`:                                                   "[1 -25 a\né true <nil> map[]]",
		`Object.keys(JSON.parse('{"b":1,"a":2}')).join()`:                                                                "b,a",
		`JSON.stringify({ b: [1, "x"], a: undefined, c: null })`:                                                         `{"b":[1,"x"],"c":null}`,
		`JSON.stringify({ a: [1] }, null, 2)`:                                                                            "{\n  \"a\": [\n    1\n  ]\n}",
		`JSON.stringify(undefined) === undefined`:                                                                        "true",
		`1 / JSON.parse("-0")`: "<nil>",
		// Strings.
		`"a.b.c".replace("\\.", "-")`:                    "a-b.c",
		`"a1b22".replaceAll("([0-9]+)", "<$1>")`:         "a<1>b<22>",
		`"ab".replaceAll("(?P<x>a)", "${x}${x}$&\\$$$")`: "aaa$$b",
		`"a1b2".match("[a-z]([0-9])")`:                   "[a1 1]",
		`"a".match("b")`:                                 "<nil>",
		`"a.b".split(".").length`:                        "2",
		// util.
		`util.escapeJavaScript("a'b\"c/\\\né")`:                                   `a\'b\"c\/\\\n\u00E9`,
		`util.urlEncode("a b*~é&")`:                                               "a+b*%7E%C3%A9%26",
		`util.urlDecode("a+b%20c%C3%A9")`:                                         "a b cé",
		`util.base64Decode(util.base64Encode("cơm"))`:                             "cơm",
		`util.autoId()`:                                                           "00000000-0000-4000-8000-000000000000",
		`util.autoUlid()`:                                                         "01C5P7XAC5" + "0000000000000000",
		`util.autoKsuid().length`:                                                 "27",
		`util.matches("a*b", "aaaaab")`:                                           "true",
		`util.matches("a", "ba")`:                                                 "false",
		`util.str.normalize("e\u0301", "nfc") === "\u00e9"`:                       "true",
		`util.math.roundNum(2.5)`:                                                 "3",
		`util.math.minVal(1, 2) + util.math.maxVal(1, 2)`:                         "3",
		`util.math.randomWithinRange(3, 9)`:                                       "3",
		`Math.random() + util.math.randomDouble()`:                                "0",
		`util.http.copyHeaders({ Host: "h", "X-A": "a", "content-length": "1" })`: "map[X-A:a]",
		// util.time.
		`util.time.nowISO8601()`:                                            "2018-02-06T19:01:35.749Z",
		`util.time.nowEpochSeconds()`:                                       "1517943695",
		`util.time.nowEpochMilliSeconds()`:                                  "1517943695749",
		`util.time.nowFormatted("yyyy-MM-dd HH:mm:ssZ")`:                    "2018-02-06 19:01:35+0000",
		`util.time.nowFormatted("yyyy-MM-dd HH:mm:ssZ", "Australia/Perth")`: "2018-02-07 03:01:35+0800",
		`util.time.nowFormatted("EEEE, d MMM yy h:mm a 'at' H ''SSS xxx")`:  "Tuesday, 6 Feb 18 7:01 PM at 19 '749 +00:00",
		`util.time.parseFormattedToEpochMilliSeconds("2018-02-01 17:21:05.180+0800", "yyyy-MM-dd HH:mm:ss.SSSZ")`:      "1517476865180",
		`util.time.parseFormattedToEpochMilliSeconds("2018-02-02 01:19:22", "yyyy-MM-dd HH:mm:ss", "Australia/Perth")`: "1517505562000",
		`util.time.parseFormattedToEpochMilliSeconds("20180202", "yyyyMMdd")`:                                          "1517529600000",
		`util.time.parseISO8601ToEpochMilliSeconds("2018-02-01T17:21:05.180+08:00")`:                                   "1517476865180",
		`util.time.epochMilliSecondsToSeconds(1517943695750)`:                                                          "1517943695",
		`util.time.epochMilliSecondsToISO8601(1517943695750)`:                                                          "2018-02-06T19:01:35.750Z",
		`util.time.epochMilliSecondsToFormatted(1517943695750, "yyyy-MM-dd HH:mm:ssZ", "Australia/Perth")`:             "2018-02-07 03:01:35+0800",
	}
	for expression, want := range tests {
		got, err := value(t, "return "+expression+";", fixed(), &backend.Context{})
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s = %v, %v, want %s", expression, got, err, want)
		}
	}
}

func TestHelpersThatFail(t *testing.T) {
	tests := map[string]string{
		`util.time.nowFormatted("QQ")`:                             `pattern letters "QQ" are not supported`,
		`util.time.nowFormatted("'a")`:                             "a quote that does not end",
		`util.time.nowFormatted("yyyy", "Mars/Base")`:              "the time zone is not known",
		`util.time.parseFormattedToEpochMilliSeconds("x", "yyyy")`: "does not match the pattern",
		`util.time.parseISO8601ToEpochMilliSeconds("yesterday")`:   "not a time in ISO 8601",
		`util.base64Decode("!")`:                                   "illegal base64",
		`util.str.normalize("a", "nfx")`:                           "the form is nfc, nfd, nfkc or nfkd",
		`util.math.randomWithinRange(2, 1)`:                        "must be below",
		`util.http.addResponseHeader("Host", "a")`:                 "cannot be added",
		`util.matches(ctx.args.p, "a")`:                            "RE2 cannot run it",
		`"a".replace(ctx.args.p, "a")`:                             "RE2 cannot run it",
		`"a".replace("a", () => "b")`:                              "a replacement function is not supported",
		`JSON.parse("1", (k, v) => v)`:                             "the reviver of JSON.parse is not supported",
		`JSON.stringify({}, ["a"])`:                                "the replacer of JSON.stringify is not supported",
		`({ n: 10n })`:                                             "cannot be returned",
	}
	for expression, want := range tests {
		_, err := value(t, "return "+expression+";", fixed(), &backend.Context{Args: map[string]any{"p": "(?=a)"}})
		if !strings.Contains(detail(err), want) {
			t.Errorf("%s: error = %v, want %q", expression, err, want)
		}
	}
}

func TestResponseHeaders(t *testing.T) {
	c := &backend.Context{}
	_, err := value(t, `util.http.addResponseHeader("x-one", 1); util.http.addResponseHeaders({ "x-two": "a" });`, Options{}, c)
	if got := fmt.Sprint(c.Header); err != nil || got != "map[X-One:[1] X-Two:[a]]" {
		t.Errorf("Header = %s, %v, want x-one and x-two", got, err)
	}
}

func TestConsoleKeepsContentToItself(t *testing.T) {
	for content, want := range map[bool]string{
		false: "level=DEBUG msg=\"resolver printed\" entry=data/test.js stream=log\n",
		true:  "level=DEBUG msg=\"resolver printed\" entry=data/test.js stream=log content=\"secret {\\\"a\\\":1}\"\n",
	} {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		if _, err := value(t, `console.log("secret", { a: 1 });`, Options{Log: log, LogContent: content}, &backend.Context{}); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("log with content %v = %s, want %s", content, out.String(), want)
		}
	}
}

// Every primitive function that AppSync documents is there and does its work.
func TestDocumentedFunctions(t *testing.T) {
	samples := map[string]map[string]string{
		"Object": {"assign": `Object.assign({}, { a: 1 }).a === 1`, "entries": `Object.entries({ a: 1 })[0][1] === 1`,
			"hasOwn": `Object.hasOwn({ a: 1 }, "a")`, "keys": `Object.keys({ a: 1 })[0] === "a"`,
			"values": `Object.values({ a: 1 })[0] === 1`, "delete": `delete ({ a: 1 }).a`},
		"String.prototype": {"length": `"ab".length === 2`, "charAt": `"ab".charAt(1) === "b"`, "concat": `"a".concat("b") === "ab"`,
			"endsWith": `"ab".endsWith("b")`, "indexOf": `"ab".indexOf("b") === 1`, "lastIndexOf": `"aba".lastIndexOf("a") === 2`,
			"replace": `"aa".replace("a+", "b") === "b"`, "replaceAll": `"a1a2".replaceAll("[0-9]", "") === "aa"`,
			"slice": `"abc".slice(1) === "bc"`, "split": `"a,b".split(",").length === 2`, "startsWith": `"ab".startsWith("a")`,
			"toLowerCase": `"A".toLowerCase() === "a"`, "toUpperCase": `"a".toUpperCase() === "A"`, "trim": `" a ".trim() === "a"`,
			"trimEnd": `" a ".trimEnd() === " a"`, "trimStart": `" a ".trimStart() === "a "`},
		"String": {"raw": "String.raw`\\n${1}` === '\\\\n1'"},
		"Number": {"isFinite": `Number.isFinite(1)`, "isNaN": `Number.isNaN(NaN)`},
		"Math": {"random": `Math.random() < 1`, "min": `Math.min(1, 2) === 1`, "max": `Math.max(1, 2) === 2`, "round": `Math.round(1.5) === 2`,
			"floor": `Math.floor(1.5) === 1`, "ceil": `Math.ceil(1.5) === 2`},
		"Array.prototype": {"length": `[1].length === 1`, "concat": `[1].concat([2]).length === 2`, "fill": `[1, 2].fill(3)[1] === 3`,
			"flat": `[[1], [[2]]].flat(9).length === 2`, "indexOf": `[1].indexOf(1) === 0`, "join": `[1, null, 2].join("-") === "1--2"`,
			"lastIndexOf": `[1, 1].lastIndexOf(1) === 1`, "pop": `[1].pop() === 1`, "push": `[].push(1) === 1`,
			"reverse": `[1, 2].reverse()[0] === 2`, "shift": `[1].shift() === 1`, "slice": `[1, 2].slice(1)[0] === 2`,
			"sort": `[2, 1].sort()[0] === 1`, "splice": `[1, 2].splice(0, 1)[0] === 1`, "unshift": `[].unshift(1) === 1`,
			"forEach": `[1].forEach((x) => x) === undefined`, "map": `[1].map((x) => x + 1)[0] === 2`,
			"flatMap": `[1].flatMap((x) => [x, x]).length === 2`, "filter": `[1, 2].filter((x) => x > 1).length === 1`,
			"reduce": `[1, 2].reduce((a, x) => a + x) === 3`, "reduceRight": `[1, 2].reduceRight((a, x) => a - x) === 1`,
			"find": `[1].find((x) => x) === 1`, "some": `[1].some((x) => x)`, "every": `[1].every((x) => x)`,
			"findIndex": `[1].findIndex((x) => x) === 0`, "findLast": `[1].findLast((x) => x) === 1`,
			"findLastIndex": `[1, 1].findLastIndex((x) => x) === 1`},
		"console": {"log": `console.log(1) === undefined`, "error": `console.error(1) === undefined`},
		"JSON":    {"parse": `JSON.parse("[1]")[0] === 1`, "stringify": `JSON.stringify([1]) === "[1]"`},
		"globals": {"NaN": `Number.isNaN(NaN)`, "Infinity": `Infinity > 1`, "undefined": `undefined === void 0`, "util": `typeof util.time === "object"`,
			"extensions": `typeof extensions.evictFromApiCache === "function"`, "runtime": `typeof runtime.earlyReturn === "function"`},
	}
	for kind, names := range readLists(t).Supported {
		for _, name := range names {
			name, _, _ = strings.Cut(strings.Fields(name)[0], "(")
			sample, ok := samples[kind][name]
			if !ok {
				t.Errorf("no sample for %s.%s", kind, name)
				continue
			}
			if got, err := value(t, "return "+sample+";", Options{}, &backend.Context{}); got != true || err != nil {
				t.Errorf("%s = %v, %v, want true", sample, got, err)
			}
		}
	}
}
