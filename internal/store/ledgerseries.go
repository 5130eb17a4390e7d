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
	profile := ""
	if r.Profile != nil {
		profile = *r.Profile
	}
	return series{
		principal: text(r.Principal), caller: text(r.Caller), key: text(r.Key), team: text(r.Team), door: text(r.Door),
		profile: text(profile), model: text(cmp.Or(r.Fallback, string(r.Model))),
		region: text(cmp.Or(r.Destination, string(r.DestinationRegion))), source: text(string(r.SourceRegion)),
		outcome: string(r.Outcome),
	}
}

// maxSeries is how many ids are remembered.
const maxSeries = 50_000

// seriesIDs are ids that were seen in the database. No row of usage_series is deleted or
// changed.
type seriesIDs struct {
	mutex sync.Mutex
	seen  map[series]int64
}

// remember is for ids that were committed.
func (i *seriesIDs) remember(ids map[series]int64) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.seen == nil || len(i.seen)+len(ids) > maxSeries {
		i.seen = map[series]int64{}
	}
	maps.Copy(i.seen, ids)
}

func (i *seriesIDs) of(s series) (id int64, seen bool) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	id, seen = i.seen[s]
	return id, seen
}

const seriesColumns = `principal, caller, key_name, team, door, profile, model, region, source, outcome`

// seriesID is the id of a series, which gets one where it has none.
func (k *keeping) seriesID(s series) (int64, error) {
	if id, seen := k.series.of(s); seen {
		return id, nil
	}
	if id, added := k.added[s]; added {
		return id, nil
	}
	var id int64
	err := k.tx.QueryRowContext(k.ctx, `INSERT INTO usage_series (`+seriesColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (`+seriesColumns+`) DO UPDATE SET outcome = excluded.outcome RETURNING id`,
		s.principal, s.caller, s.key, s.team, s.door, s.profile, s.model, s.region, s.source, s.outcome).Scan(&id)
	if err == nil {
		k.added[s] = id
	}
	return id, err
}
