package usage

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"fairway/internal/inference"
)

func TestMoment(t *testing.T) {
	for text, want := range map[string]string{
		"now": "2026-11-23T05:00:00Z", "today": "2026-11-23T00:00:00Z", "yesterday": "2026-11-22T00:00:00Z",
		"1h": "2026-11-23T03:00:00Z", "24h": "2026-11-22T04:00:00Z", "1d": "2026-11-23T00:00:00Z", "7d": "2026-11-17T00:00:00Z",
		"2026-11": "2026-11-01T00:00:00Z", "2026-11-02": "2026-11-02T00:00:00Z", "2026-11-02T15Z": "2026-11-02T15:00:00Z",
		"2026-11-02T15:00Z": "2026-11-02T15:00:00Z", "2026-11-02T15:00:00+02:00": "2026-11-02T13:00:00Z",
	} {
		got, err := moment("since", text, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("moment(%q) = %v %v, want %s", text, got, err, want)
		}
	}
}

func TestParse(t *testing.T) {
	got, err := Parse(url.Values{}, now)
	if err != nil || got.Since.Format(time.DateOnly) != "2026-11-17" || !got.Until.Equal(now.Truncate(time.Hour).Add(time.Hour)) || got.By != nil {
		t.Errorf("Parse() = %+v %v, want the last seven days", got, err)
	}
	got, err = Parse(url.Values{"by": {"model,region"}, "top": {"5"}, "step": {"hour"}, "where": {"team=search", "region=", "user=a=b"}}, now)
	want := Query{Top: 5, Step: inference.ByHour}
	want.Since, want.Until, want.By = got.Since, got.Until, []inference.Dimension{inference.ByModel, inference.ByRegion}
	want.Where = map[inference.Dimension]string{inference.ByTeam: "search", inference.ByRegion: "", inference.ByUser: "a=b"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Parse = %+v %v, want %+v", got, err, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for query, want := range map[string]string{
		"since=soon":                            `since "soon": want such as 24h`,
		"since=0h":                              `since "0h"`,
		"since=99999999999h":                    `since "99999999999h"`,
		"since=1999-01":                         `since "1999-01"`,
		"since=2026-11-02T15:30Z":               "want a whole hour of UTC",
		"until=2026-11-02T15:30:00%2B05:30":     `since 2026-11-17T00:00:00Z is not before until 2026-11-02T10:00:00Z`,
		"since=now":                             "is not before until",
		"since=today&until=today":               "is not before until",
		"since=1d&since=2d":                     "since is given twice",
		"limit=5":                               `no parameter is called "limit": want one of since, until, where, by, top, step`,
		"by=colour":                             `by "colour": want hour, day, month`,
		"by=":                                   "",
		"by=day,day":                            "by names day twice",
		"by=user,key,team,door":                 "by names more than 3 dimensions",
		"top=many":                              `top "many": want a number up to 10000`,
		"top=10001":                             `top "10001"`,
		"top=-1":                                `top "-1"`,
		"step=model":                            `step "model": want hour, day or month`,
		"step=hour&by=user,day":                 "a report by time has no series beside",
		"step=hour&since=90d":                   "more than 1000 points",
		"where=model":                           `where "model": want such as model=ID`,
		"where=day=2026-11-01":                  "name times with since and until",
		"where=colour=red":                      `where "colour": want one of model, profile`,
		"where=key=a&where=key=b":               "where names key twice",
		"where=key=%FF":                         "want up to 256 bytes of UTF-8",
		"where=key=" + strings.Repeat("x", 257): "want up to 256 bytes of UTF-8",
		"since=" + strings.Repeat("é", 500):     "...",
	} {
		params, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		q, err := Parse(params, now)
		if want == "" {
			if err != nil {
				t.Errorf("Parse(%s) = %v, want no error", query, err)
			}
			continue
		}
		if err == nil || !strings.Contains(inference.AsError(err).Message, want) || inference.AsError(err).Kind != inference.Validation {
			t.Errorf("Parse(%.60s) = %+v %v, want %q", query, q, err, want)
		}
	}
	if _, err := ParseCalls(url.Values{"by": {"day"}}, now); err == nil {
		t.Error("ParseCalls takes by, want a refusal")
	}
}

// FuzzParse: what is read is in whole hours, within its limits, and its own values
// read as the same; what is not is no query at all.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "since=24h&by=model,region&top=3", "since=2026-11&until=2026-11-02T15Z&where=team%3Dsearch&where=region%3D",
		"since=yesterday&until=today&step=hour&by=user", "since=3650d&by=month", "where=user%3D%00%F0%9F%98%80", "since=2026-11-02T15:00:00%2B02:00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		params, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		q, err := Parse(params, now)
		if err != nil {
			if !reflect.DeepEqual(q, Query{}) || len(inference.AsError(err).Message) > 500 {
				t.Fatalf("Parse(%q) = %+v and %v, want no query and a short error", query, q, err)
			}
			return
		}
		if !q.Since.Before(q.Until) || q.Since.Truncate(time.Hour) != q.Since || q.Until.Truncate(time.Hour) != q.Until || len(q.By) > maxBy || q.Top > maxRows {
			t.Fatalf("Parse(%q) = %+v, beyond the limits", query, q)
		}
		again, err := Parse(q.Values(), now)
		if err != nil || !reflect.DeepEqual(again, q) {
			t.Fatalf("Parse of %v's values = %+v %v, want %+v", query, again, err, q)
		}
	})
}

func TestSteps(t *testing.T) {
	var q Query
	q.Since, q.Until = time.Date(2026, 1, 31, 22, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
	for step, want := range map[inference.Dimension][]string{
		inference.ByMonth: {"2026-01", "2026-02", "2026-03"},
		inference.ByDay:   {"2026-01-31", "2026-02-01"},
		inference.ByHour:  {"2026-01-31T22Z", "2026-01-31T23Z"},
	} {
		got := q.steps(step)
		if !reflect.DeepEqual(got[:len(want)], want) {
			t.Errorf("steps by %s begin with %v, want %v", step, got[:len(want)], want)
		}
	}
	if got := len(q.steps(inference.ByDay)); got != 30 {
		t.Errorf("steps by day are %d, want 30", got)
	}
	for days, want := range map[int]inference.Dimension{1: inference.ByHour, 7: inference.ByDay, 800: inference.ByMonth} {
		q.Until = q.Since.AddDate(0, 0, days)
		if got := q.StepFor(); got != want {
			t.Errorf("StepFor of %d days = %s, want %s", days, got, want)
		}
	}
	for _, d := range inference.Dimensions() {
		q := Query{}
		q.Since, q.Until, q.By = now.AddDate(0, 0, -7).Truncate(time.Hour), now.Truncate(time.Hour), []inference.Dimension{d}
		q.Step = q.StepFor()
		if _, err := Parse(q.Values(), now); err != nil || (q.Step == "") != d.IsTime() {
			t.Errorf("StepFor by %s = %q, which reads as %v", d, q.Step, err)
		}
	}
}
