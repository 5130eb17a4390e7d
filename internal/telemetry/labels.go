package telemetry

import (
	"strings"
	"sync"

	"fairway/internal/inference"
)

// other stands for every value of a label that is not known.
const other = "other"

// known are the values that labels may have.
type known struct {
	regions    map[inference.Region]bool
	models     map[inference.ModelID]bool
	operations map[inference.Operation]bool
	kinds      map[inference.Kind]bool
}

func newKnown(regions []inference.Region, models []inference.ModelID) known {
	return known{
		regions: set(regions),
		models:  set(models),
		operations: set([]inference.Operation{
			inference.InvokeModel, inference.InvokeModelWithResponseStream,
			inference.Converse, inference.ConverseStream, inference.CountTokens,
		}),
		kinds: set([]inference.Kind{
			inference.Validation, inference.ServiceQuotaExceeded, inference.Conflict, inference.AccessDenied,
			inference.ResourceNotFound, inference.ModelTimeout, inference.ModelError, inference.ModelStreamError,
			inference.Throttling, inference.ModelNotReady, inference.InternalServer, inference.ServiceUnavailable,
			inference.UnrecognizedClient, inference.InvalidSignature, inference.MissingAuth, inference.ExpiredToken,
			inference.IncompleteSignature, inference.Canceled,
		}),
	}
}

func set[V comparable](values []V) map[V]bool {
	s := make(map[V]bool, len(values))
	for _, v := range values {
		s[v] = true
	}
	return s
}

func label[V ~string](values map[V]bool, v V) string {
	if values[v] {
		return string(v)
	}
	return other
}

func (k known) region(r inference.Region) string       { return label(k.regions, r) }
func (k known) model(m inference.ModelID) string       { return label(k.models, m) }
func (k known) operation(o inference.Operation) string { return label(k.operations, o) }
func (k known) kind(e inference.Kind) string           { return label(k.kinds, e) }

// modelOf is the model behind what a target is called by: a profile id is one behind a
// geography.
func (k known) modelOf(named string) string {
	if model := k.model(inference.ModelID(named)); model != other {
		return model
	}
	_, behind, _ := strings.Cut(named, ".")
	return k.model(inference.ModelID(behind))
}

// outcome follows from the kind of error, which is empty for none.
func outcome(kind string) string {
	if kind == "" {
		return string(inference.OK)
	}
	return string(inference.Failed)
}

// cache keeps the series of labels that were used, for looking them up in the
// registry costs more than counting. The labels bound it.
type cache[L comparable, S any] struct {
	fill func(L) S

	mu     sync.RWMutex
	series map[L]S
}

func (c *cache[L, S]) get(labels L) S {
	c.mu.RLock()
	s, ok := c.series[labels]
	c.mu.RUnlock()
	if ok {
		return s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.series == nil {
		c.series = map[L]S{}
	}
	s = c.fill(labels)
	c.series[labels] = s
	return s
}
