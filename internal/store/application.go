package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"strings"

	"fairway/internal/inference"
)

// The service's limits, by account and region (Bedrock quotas; Tagging Bedrock
// resources).
const (
	maxApplications = 1000
	maxTags         = 50
)

const applicationColumns = `id, account, region, name, description, copied_from, COALESCE(token, ''), tags, created, updated`

// CreateApplication keeps an application profile and gives it back with the ID
// and times it got. A profile that was created with the same Token is given back
// as it is. Errors are of kind Conflict when another has the name, TooManyTags,
// and ServiceQuotaExceeded when its account has too many in the region; servers
// that share a database may go past that limit by one each.
func (s *Store) CreateApplication(ctx context.Context, a inference.Application) (inference.Application, error) {
	const op = "create application profile"
	tags, err := encodeTags(op, a.Tags)
	if err != nil {
		return inference.Application{}, err
	}
	for { // again when another server was faster, or the random id is taken
		if same, err := s.rival(ctx, op, a); same.ID != "" || err != nil {
			return same, err
		}
		if err := s.checkQuota(ctx, op, a); err != nil {
			return inference.Application{}, err
		}
		a.ID, a.Created = newApplicationID(), fromMillis(s.now().UnixMilli())
		a.Updated = a.Created
		added, err := s.change(ctx, op, `INSERT INTO application_profiles
			(arn, id, account, region, name, description, copied_from, token, tags, created, updated)
			VALUES ($1, $2, $3, $4, $5, $6, $7, NULLIF($8, ''), $9, $10, $11) ON CONFLICT DO NOTHING`,
			a.ARN(), a.ID, a.Account, a.Region, a.Name, a.Description, a.CopiedFrom, a.Token, tags, millis(a.Created), millis(a.Updated))
		if err != nil {
			return inference.Application{}, err
		}
		if added {
			return a, nil
		}
	}
}

// rival is the profile that an earlier request with a's token created, the zero
// Application without one. The error is of kind Conflict when another has a's name.
func (s *Store) rival(ctx context.Context, op string, a inference.Application) (inference.Application, error) {
	rows, err := s.write.QueryContext(ctx, `SELECT `+applicationColumns+` FROM application_profiles
		WHERE account = $1 AND region = $2 AND (token = NULLIF($3, '') OR name = $4)`, a.Account, a.Region, a.Token, a.Name)
	rivals, err := collect(op, rows, err, scanApplication)
	if err != nil || len(rivals) == 0 {
		return inference.Application{}, err
	}
	for _, r := range rivals {
		if r.Token != "" && r.Token == a.Token {
			return r, nil
		}
	}
	return inference.Application{}, &inference.Error{
		Kind: inference.Conflict, Op: op, Region: a.Region,
		Message: "An inference profile with the name " + a.Name + " already exists in this account and Region.",
	}
}

func (s *Store) checkQuota(ctx context.Context, op string, a inference.Application) error {
	var count int
	row := s.write.QueryRowContext(ctx, `SELECT COUNT(*) FROM application_profiles WHERE account = $1 AND region = $2`, a.Account, a.Region)
	if err := row.Scan(&count); err != nil {
		return failed(op, err)
	}
	if count < maxApplications {
		return nil
	}
	return &inference.Error{
		Kind: inference.ServiceQuotaExceeded, Op: op, Region: a.Region,
		Message: "You have reached the limit of " + strconv.Itoa(maxApplications) + " application inference profiles for this account in this Region.",
	}
}

// newApplicationID is twelve random lower-case letters and digits.
func newApplicationID() string {
	id := strings.ToLower(rand.Text()) // letters and the digits 2 to 7
	return id[:12]
}

// Application is the application profile of an ARN. It reports false when there
// is none.
func (s *Store) Application(ctx context.Context, arn inference.ARN) (inference.Application, bool, error) {
	a, err := scanApplication(s.read.QueryRowContext(ctx, `SELECT `+applicationColumns+` FROM application_profiles WHERE arn = $1`, arn))
	if errors.Is(err, sql.ErrNoRows) {
		return inference.Application{}, false, nil
	}
	return a, err == nil, failed("read application profile", err)
}

// Applications is every application profile of an account in a region, by name.
func (s *Store) Applications(ctx context.Context, account string, region inference.Region) ([]inference.Application, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+applicationColumns+` FROM application_profiles
		WHERE account = $1 AND region = $2 ORDER BY name, id`, account, region)
	return collect("list application profiles", rows, err, scanApplication)
}

// DeleteApplication forgets an application profile. It reports false when there
// is none.
func (s *Store) DeleteApplication(ctx context.Context, arn inference.ARN) (bool, error) {
	defer s.recent.forget(arn)
	return s.change(ctx, "delete application profile", `DELETE FROM application_profiles WHERE arn = $1`, arn)
}

// TagApplication sets tags of an application profile and leaves its others. It
// reports false when there is no such profile; the error is of kind TooManyTags
// when it would have more than the service allows.
func (s *Store) TagApplication(ctx context.Context, arn inference.ARN, tags map[string]string) (bool, error) {
	return s.retag(ctx, "tag application profile", arn, func(has map[string]string) { maps.Copy(has, tags) })
}

// UntagApplication removes tags by their keys; keys that it does not have do no
// harm. It reports false when there is no such profile.
func (s *Store) UntagApplication(ctx context.Context, arn inference.ARN, keys []string) (bool, error) {
	return s.retag(ctx, "untag application profile", arn, func(has map[string]string) {
		for _, key := range keys {
			delete(has, key)
		}
	})
}

// retag changes tags that nobody else changed in between, and tries again when
// somebody did.
func (s *Store) retag(ctx context.Context, op string, arn inference.ARN, edit func(map[string]string)) (bool, error) {
	defer s.recent.forget(arn)
	for {
		var before string
		err := s.write.QueryRowContext(ctx, `SELECT tags FROM application_profiles WHERE arn = $1`, arn).Scan(&before)
		if errors.Is(err, sql.ErrNoRows) {
			return false, nil
		}
		if err != nil {
			return false, failed(op, err)
		}
		tags, err := decodeTags(before)
		if err != nil {
			return false, failed(op, err)
		}
		edit(tags)
		after, err := encodeTags(op, tags)
		if err != nil {
			return false, err
		}
		changed, err := s.change(ctx, op, `UPDATE application_profiles SET tags = $3, updated = $4 WHERE arn = $1 AND tags = $2`,
			arn, before, after, millis(s.now()))
		if changed || err != nil {
			return changed, err
		}
	}
}

func scanApplication(r row) (inference.Application, error) {
	var a inference.Application
	var tags string
	var created, updated int64
	err := r.Scan(&a.ID, &a.Account, &a.Region, &a.Name, &a.Description, &a.CopiedFrom, &a.Token, &tags, &created, &updated)
	if err != nil {
		return inference.Application{}, err
	}
	a.Created, a.Updated = fromMillis(created), fromMillis(updated)
	a.Tags, err = decodeTags(tags)
	return a, err
}

// encodeTags is the text of tags, the same for the same tags.
func encodeTags(op string, tags map[string]string) (string, error) {
	if len(tags) > maxTags {
		return "", &inference.Error{
			Kind: inference.TooManyTags, Op: op,
			Message: "The number of tags exceeds the limit of " + strconv.Itoa(maxTags) + " tags for a resource.",
		}
	}
	if tags == nil {
		tags = map[string]string{}
	}
	text, err := json.Marshal(tags)
	return string(text), err
}

func decodeTags(text string) (map[string]string, error) {
	tags := map[string]string{}
	err := json.Unmarshal([]byte(text), &tags)
	return tags, err
}
