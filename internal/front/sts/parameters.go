package sts

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fairway/internal/front"
)

// The patterns and limits of parameters (AWS Security Token Service API Reference).
var (
	sessionNameForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	tagForm         = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

const (
	maxRoleARN  = 2048
	maxToken    = 20_000
	maxTags     = 50
	maxTagKey   = 128 // characters
	maxTagValue = 256 // characters
)

// carriesNot are parameters that narrow or bind a session in ways that sessions here
// do not carry. To pass over one would give more than was asked for.
var carriesNot = []string{
	"Policy", "PolicyArns", "SourceIdentity", "TransitiveTagKeys", "ProvidedContexts",
	"SerialNumber", "TokenCode", "ProviderId",
}

func (f form) checkCarried() error {
	for _, name := range carriesNot {
		if f.has(name) {
			return front.Refuse(validationError, name+" is not carried by sessions of this server: leave it out")
		}
	}
	return nil
}

// text is a parameter that has to be there, of at most most bytes.
func (f form) text(name string, most int) (string, error) {
	v := f.get(name)
	member := strings.ToLower(name[:1]) + name[1:]
	switch {
	case v == "":
		return "", front.Refuse(validationError, "1 validation error detected: Value at '"+member+"' failed to satisfy constraint: Member must not be null")
	case len(v) > most:
		return "", front.Refuse(validationError, fmt.Sprintf("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", member, most))
	}
	return v, nil
}

func (f form) sessionName() (string, error) {
	name := f.get("RoleSessionName")
	if !sessionNameForm.MatchString(name) {
		return "", front.Refuse(validationError, "1 validation error detected: Value '"+front.Clip(name)+
			"' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*, with 2 to 64 characters")
	}
	return name, nil
}

// minDuration is the shortest session.
const minDuration = 15 * time.Minute

// duration is DurationSeconds, between minDuration and most, otherwise usual.
func (f form) duration(usual, most time.Duration) (time.Duration, error) {
	text := f.get("DurationSeconds")
	if text == "" {
		return usual, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 32)
	d := time.Duration(seconds) * time.Second
	constraint := ""
	switch {
	case err != nil:
		return 0, front.Refuse(malformedInput, "DurationSeconds has to be a whole number of seconds")
	case d < minDuration:
		constraint = fmt.Sprintf("Member must have value greater than or equal to %.0f", minDuration.Seconds())
	case d > most:
		constraint = fmt.Sprintf("Member must have value less than or equal to %.0f", most.Seconds())
	default:
		return d, nil
	}
	return 0, front.Refuse(validationError, fmt.Sprintf("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: %s", seconds, constraint))
}

// tags reads Tags.member.N.Key and Tags.member.N.Value, N from 1. Their keys differ
// also without regard to case.
func (f form) tags() (map[string]string, error) {
	tags, seen, left := map[string]string{}, map[string]bool{}, f.below("Tags")
	for n := 1; left > 0; n++ {
		member := "Tags.member." + strconv.Itoa(n)
		key, value := f[member+".Key"], f[member+".Value"]
		lower := strings.ToLower(key)
		switch {
		case key == "":
			return nil, front.Refuse(validationError, "Tags has to be a list of members counted from 1, each with a Key and a Value")
		case n > maxTags:
			return nil, front.Refuse(validationError, fmt.Sprintf("a session has at most %d tags", maxTags))
		case !isTag(key, maxTagKey) || !isTag(value, maxTagValue):
			return nil, front.Refuse(validationError, fmt.Sprintf("%s is no tag: its key has 1 to %d characters, its value up to %d, letters, digits, spaces and _.:/=+-@", member, maxTagKey, maxTagValue))
		case seen[lower]:
			return nil, front.Refuse(validationError, "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		tags[key], seen[lower] = value, true
		left -= f.below(member)
	}
	return tags, nil
}

func isTag(text string, most int) bool {
	return utf8.RuneCountInString(text) <= most && tagForm.MatchString(text)
}
