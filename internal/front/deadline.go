package front

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// farthest is how far away a deadline may be: what is beyond is not meant.
const farthest = 24 * time.Hour

// Deadline is when a caller stops waiting, as its client says it in the header: the AWS
// SDKs tell the time, where their caller set one, those of Anthropic and OpenAI how many
// seconds they wait. Zero is of a header that tells neither, or nothing that can be
// meant: malformed, past, or too far away. Where both are told the sooner counts.
func Deadline(h http.Header, now time.Time) (soonest time.Time) {
	for _, t := range [...]time.Time{ttl(h.Get("Amz-Sdk-Request")), timeout(h.Get("X-Stainless-Timeout"), now)} {
		if t.After(now) && !t.After(now.Add(farthest)) && (soonest.IsZero() || t.Before(soonest)) {
			soonest = t
		}
	}
	return soonest
}

// ttl reads "attempt=1; max=3; ttl=20261122T101112Z".
func ttl(request string) time.Time {
	for member := range strings.SplitSeq(request, ";") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(member), "ttl="); ok {
			t, _ := time.Parse("20060102T150405Z", text) // zero where it is malformed
			return t
		}
	}
	return time.Time{}
}

// timeout reads seconds, "600" or "2.5".
func timeout(seconds string, now time.Time) time.Time {
	s, err := strconv.ParseFloat(seconds, 64)
	if err != nil || !(s > 0 && s <= farthest.Seconds()) { // not a number is neither
		return time.Time{}
	}
	return now.Add(time.Duration(s * float64(time.Second)))
}
