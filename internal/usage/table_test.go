package usage

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fairway/internal/inference"
)

var update = flag.Bool("update", false, "rewrite the tables in testdata")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
	}
}

// week is a ledger of two models over some days: a dear one that fails over now and
// then, and a cheap one that many call.
func week() memory {
	var m memory
	add := func(hours int, model, user string, calls int64, cost inference.Money, row inference.UsageRow) {
		row.Calls, row.Cost, row.Attempts = calls, cost*inference.Money(calls), calls+row.FailedOver
		row.InputTokens, row.OutputTokens, row.LatencyMS = 1_200*calls, 340*calls, 800*calls
		row.Costs = map[int]int64{inference.CostBucket(cost): calls}
		m = append(m, call{
			at:   now.Add(-time.Duration(hours) * time.Hour),
			keys: map[inference.Dimension]string{inference.ByModel: model, inference.ByUser: user, inference.ByTeam: "search"},
			row:  row,
		})
	}
	for day := range 6 {
		add(24*day, "anthropic.claude-sonnet-4-20250514-v1:0", "ana@example.com", int64(3+day*day), 8_700_000, inference.UsageRow{FailedOver: 1, CacheReadTokens: 50_000, Saved: 135_000_000})
		add(24*day+2, "amazon.nova-micro-v1:0", "bo", 4_000, 91_000, inference.UsageRow{Failed: 12})
	}
	add(30, "anthropic.claude-sonnet-4-20250514-v1:0", "\x1b[31mred", 2, 12_000_000, inference.UsageRow{Hedged: 2, Unknown: 1, WastedInputTokens: 2_400, WastedOutputTokens: 20, WastedCost: 7_500_000, Saved: -3_000_000})
	add(31, "amazon.nova-micro-v1:0", "", 1, 91_000, inference.UsageRow{})
	return m
}

func table(t *testing.T, q Query, on Screen) string {
	t.Helper()
	if q.Since.IsZero() {
		q.Since, q.Until = time.Date(2026, 11, 17, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	}
	r, err := Make(t.Context(), week(), q)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WriteTable(&b, on); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func by(dimensions ...inference.Dimension) Query {
	return Query{UsageQuery: inference.UsageQuery{By: dimensions}}
}

func TestTable(t *testing.T) {
	top, drawn, none := by(inference.ByUser, inference.ByModel), by(inference.ByModel), by(inference.ByDay)
	top.Top, drawn.Step = 2, inference.ByDay
	top.Where = map[inference.Dimension]string{inference.ByTeam: "search"}
	none.Since, none.Until = now.AddDate(1, 0, 0), now.AddDate(1, 0, 1)
	none.Where = map[inference.Dimension]string{inference.ByRegion: "", inference.ByUser: "\x1b[2J"}
	for name, c := range map[string]struct {
		Query
		Screen
	}{
		"day.txt":       {by(inference.ByDay), Screen{}},
		"day-drawn.txt": {by(inference.ByDay), Screen{Width: 110, Draws: true}},
		"model.txt":     {drawn, Screen{Width: 220, Draws: true}},
		"narrow.txt":    {drawn, Screen{Width: 80, Draws: true}},
		"top.txt":       {top, Screen{}},
		"total.txt":     {by(), Screen{}},
		"none.txt":      {none, Screen{}},
	} {
		golden(t, name, []byte(table(t, c.Query, c.Screen)))
	}
}

// TestWidth: a table keeps within its screen as long as what may give way does, and
// says what gave way.
func TestWidth(t *testing.T) {
	q := by(inference.ByModel, inference.ByUser)
	for width := 100; width < 260; width++ {
		text := table(t, q, Screen{Width: width})
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width && !strings.HasPrefix(line, "no room") {
				t.Fatalf("a line of %d characters on a screen of %d:\n%s", n, width, text)
			}
		}
		for _, c := range numbers {
			if strings.Count(text, c.head) == 0 {
				t.Fatalf("%s is neither shown nor said to be left out, %d wide:\n%s", c.head, width, text)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -999: "-999"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s, want %s", n, got, want)
		}
	}
	for _, c := range []struct {
		amount   inference.Money
		decimals int
		want     string
	}{
		{0, 4, "0.0000"}, {1_234_567_891_234, 4, "1,234.5679"}, {-1 << 63, 1, "-9,223,372,036.9"},
	} {
		if got := dollars(c.amount, c.decimals); got != c.want {
			t.Errorf("dollars(%d, %d) = %s, want %s", c.amount, c.decimals, got, c.want)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		name string
		most int
		want string
	}{{"short", 5, "short"}, {"abcdefgh", 5, "ab…gh"}, {"äbcdëfgh", 6, "äbc…gh"}, {"abcdefgh", 2, "abcdefgh"}} {
		if got := shorten(c.name, c.most); got != c.want {
			t.Errorf("shorten(%q, %d) = %q, want %q", c.name, c.most, got, c.want)
		}
	}
}

func TestSpark(t *testing.T) {
	long := make([]int64, 48)
	long[0], long[47] = 1, 8
	for _, c := range []struct {
		series []int64
		want   string
	}{
		{[]int64{0, 1, 4, 8}, " ▁▄█"}, {[]int64{1 << 62, 1}, "█▁"}, {[]int64{0, 0}, "  "}, {nil, ""}, {[]int64{-3, 2}, " █"},
		{long, "▁" + strings.Repeat(" ", drawn-2) + "█"},
	} {
		series := make([]Point, len(c.series))
		for i, calls := range c.series {
			series[i].Calls = calls
		}
		if got := spark(series, func(p Point) int64 { return p.Calls }); got != c.want {
			t.Errorf("spark(%v) = %q, want %q", c.series, got, c.want)
		}
	}
	if got := bar(1, 1000); got != "█"+strings.Repeat(" ", drawn-1) {
		t.Errorf("bar(1, 1000) = %q, want one cell", got)
	}
}
