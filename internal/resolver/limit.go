package resolver

import (
	"errors"
	"runtime/metrics"
	"strings"
	"time"

	"github.com/dop251/goja"
)

// The engine sees an interrupt between two instructions only, and has no memory
// limit. So no instruction and no built-in may take long or make much at once,
// which the checks here see to, and a call that runs long is watched.
const (
	maxElements = 1 << 17   // of an array that a built-in walks or makes
	maxMemory   = 512 << 20 // bytes by which the heap may grow under a call that is watched, garbage included

	unwatched = 50 * time.Millisecond // how long a call runs before it is watched
	period    = 10 * time.Millisecond // of watching
)

var (
	errTimeout = errors.New("ran past its time limit")
	errMemory  = errors.New("memory grew past its limit")
)

// watch interrupts a call that is over its time, or during which memory grows too
// much. It is the timer's function; a machine whose timer fired serves no other call.
func (m *machine) watch() {
	ends := time.Now().Add(m.resolver.opts.Timeout - m.untilWatched())
	limit := heap() + maxMemory
	for !m.over.Load() {
		left := time.Until(ends)
		if left <= 0 {
			m.vm.Interrupt(errTimeout)
			return
		}
		if heap() > limit {
			m.vm.Interrupt(errMemory)
			return
		}
		time.Sleep(min(left, period))
	}
}

func (m *machine) untilWatched() time.Duration { return min(unwatched, m.resolver.opts.Timeout) }

// heap is the bytes that objects hold.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// text is a string made by a helper, which may not be larger than a result.
func (m *machine) text(s string) goja.Value {
	m.checkSize(len(s))
	return m.vm.ToValue(s)
}

func (m *machine) checkSize(n int) {
	if n > m.resolver.opts.MaxResult {
		panic(m.vm.NewTypeError("a string is larger than %d bytes", m.resolver.opts.MaxResult))
	}
}

// checked is what compiled code hands the texts to that it joined.
func (m *machine) checked(call goja.FunctionCall) goja.Value {
	v := call.Argument(0)
	if s, ok := v.(goja.String); ok {
		m.checkSize(s.Length())
	}
	return v
}

func (m *machine) checkLength(n int) {
	if n > maxElements {
		panic(m.vm.NewTypeError("an array of %d elements is longer than %d", n, maxElements))
	}
}

func isArray(v goja.Value) (*goja.Object, bool) {
	o, ok := v.(*goja.Object)
	return o, ok && o.ClassName() == "Array"
}

func length(array *goja.Object) int { return int(array.Get("length").ToInteger()) }

// checkJoin refuses to join an array to a text that is too large.
func (m *machine) checkJoin(array *goja.Object, separator string) {
	m.checkSize(m.sum(array, maxNesting, m.resolver.opts.MaxResult, func(v goja.Value) int {
		if s, ok := v.(goja.String); ok {
			return s.Length() + len(separator)
		}
		return 1 + len(separator)
	}))
}

// checkFlat refuses to flatten an array to one that is too long.
func (m *machine) checkFlat(array *goja.Object, depth int) {
	m.checkLength(m.sum(array, depth, maxElements, func(goja.Value) int { return 1 }))
}

// sum adds up what the elements of array are by size; those of arrays inside it
// count too, to depth. It goes no further once the sum is past limit.
func (m *machine) sum(array *goja.Object, depth, limit int, size func(goja.Value) int) int {
	total := 0
	for i := range length(array) {
		v := array.Get(index(i))
		total += size(v)
		if inner, ok := isArray(v); ok && depth > 0 {
			total += m.sum(inner, depth-1, limit-total, size)
		}
		if total > limit {
			break
		}
	}
	return total
}

// checkConcat refuses to put arrays together to one that is too long.
func (m *machine) checkConcat(first *goja.Object, others []goja.Value) {
	total := length(first) + len(others)
	for _, v := range others {
		if array, ok := isArray(v); ok {
			total += length(array)
		}
	}
	m.checkLength(total)
}

// builder makes a text of pieces, and throws where it gets too large.
type builder struct {
	m   *machine
	out strings.Builder
}

func (b *builder) WriteString(s string) (int, error) {
	b.m.checkSize(b.out.Len() + len(s))
	return b.out.WriteString(s)
}

func (b *builder) value() goja.Value { return b.m.vm.ToValue(b.out.String()) }
