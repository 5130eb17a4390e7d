package store

import (
	"cmp"
	"maps"
	"sync"

	"fairway/internal/inference"
)

// series is what calls that are summed have in common, a row of usage_series: texts as
// they are kept.
type series struct {
	principal, caller, key, team, door, profile, model, region, source, outcome string
}

func seriesOf(r *inference.Record) series {
	return series{
		principal: text(r.Principal), caller: text(r.Caller), key: text(r.Key), team: text(r.Team), door: text(r.Door),
		profile: text(r.Called()), model: text(string(r.AnsweringModel())),
		region: text(cmp.Or(r.Destination, string(r.DestinationRegion))), source: text(string(r.SourceRegion)),
		outcome: string(r.Outcome),
	}
}

// maxSeries is how many ids are remembered.
const maxSeries = 50_000

// used is the id of a series, and the begin of the last day that the database knows it to
// be used on: so long Forget leaves it there.
type used struct{ id, day int64 }

// seriesIDs are ids that were seen in the database.
type seriesIDs struct {
	mutex sync.Mutex
	seen  map[series]used
}

// remember is for ids that were committed.
func (i *seriesIDs) remember(ids map[series]used) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.seen == nil || len(i.seen)+len(ids) > maxSeries {
		i.seen = map[series]used{}
	}
	maps.Copy(i.seen, ids)
}

// of is the id of a series that is there as long as the sums of a day are.
func (i *seriesIDs) of(s series, day int64) (id int64, there bool) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	seen, there := i.seen[s]
	return seen.id, there && seen.day >= day
}

const seriesColumns = `principal, caller, key_name, team, door, profile, model, region, source, outcome`

// seriesID is the id of a series that has sums on a day. It gets one where it has none.
func (k *keeping) seriesID(s series, day int64) (int64, error) {
	if id, there := k.series.of(s, day); there {
		return id, nil
	}
	if added, ok := k.added[s]; ok && added.day >= day {
		return added.id, nil
	}
	var u used
	err := k.tx.QueryRowContext(k.ctx, `INSERT INTO usage_series (`+seriesColumns+`, used) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (`+seriesColumns+`) DO UPDATE SET
			used = CASE WHEN excluded.used > usage_series.used THEN excluded.used ELSE usage_series.used END
		RETURNING id, used`,
		s.principal, s.caller, s.key, s.team, s.door, s.profile, s.model, s.region, s.source, s.outcome, day).Scan(&u.id, &u.day)
	if err == nil {
		k.added[s] = u
	}
	return u.id, err
}
