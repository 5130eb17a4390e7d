package resolver

import (
	"maps"

	"github.com/dop251/goja"
)

// contextObject is the handlers' ctx: one frozen object a machine, whose base
// properties are getters over the call at hand. A property is converted when it
// is first read, so that what a handler ignores costs nothing.
type contextObject struct {
	object  *goja.Object
	read    []func() goja.Value
	values  []goja.Value // nil until read
	stashAt int
}

func (o *contextObject) reset() { clear(o.values) }

// newContext makes the machine's ctx.
func (m *machine) newContext() {
	o := &m.ctx
	o.object = m.vm.NewObject()
	property := func(read func() goja.Value, names ...string) int {
		at := len(o.read)
		o.read, o.values = append(o.read, read), append(o.values, nil)
		getter := m.vm.ToValue(func(goja.FunctionCall) goja.Value {
			if o.values[at] == nil {
				o.values[at] = o.read[at]()
			}
			return o.values[at]
		})
		for _, name := range names {
			// Fails for an object that is not extensible only, and this one is new.
			_ = o.object.DefineAccessorProperty(name, getter, nil, goja.FLAG_FALSE, goja.FLAG_TRUE)
		}
		return at
	}
	property(func() goja.Value { return m.object(m.call.Args) }, "arguments", "args")
	property(func() goja.Value {
		if m.call.Identity == nil {
			return goja.Null()
		}
		return m.value(m.call.Identity)
	}, "identity")
	property(func() goja.Value { return m.value(m.call.Source) }, "source")
	property(func() goja.Value { return m.dataSourceError() }, "error")
	o.stashAt = property(func() goja.Value { return m.object(m.call.Stash) }, "stash")
	property(func() goja.Value { return m.value(m.call.Result) }, "result")
	property(func() goja.Value { return m.object(map[string]any{"result": m.call.Prev}) }, "prev")
	property(func() goja.Value { return m.requestInfo() }, "request")
	property(func() goja.Value { return m.info() }, "info")
	property(func() goja.Value { return m.stringMap(m.call.Env) }, "env")
}

func (m *machine) dataSourceError() goja.Value {
	if m.call.Error == nil {
		return goja.Null()
	}
	return m.object(map[string]any{"message": m.call.Error.Message, "type": m.call.Error.Type})
}

func (m *machine) requestInfo() goja.Value {
	o := m.vm.NewObject()
	set(o, "headers", m.stringMap(m.call.Request.Headers))
	set(o, "domainName", goja.Null())
	if m.call.Request.DomainName != "" {
		set(o, "domainName", m.vm.ToValue(m.call.Request.DomainName))
	}
	return o
}

func (m *machine) info() goja.Value {
	info := m.call.Info
	selections := make([]any, len(info.SelectionSetList))
	for i, s := range info.SelectionSetList {
		selections[i] = s
	}
	return m.object(map[string]any{
		"fieldName": info.FieldName, "parentTypeName": info.ParentTypeName, "variables": emptyNotNil(info.Variables),
		"selectionSetList": selections, "selectionSetGraphQL": info.SelectionSetGraphQL,
	})
}

func emptyNotNil(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// writeStash carries what the handler did to ctx.stash into the call's Stash, in
// place, so that all who hold the map see it.
func (m *machine) writeStash() {
	stash := m.ctx.values[m.ctx.stashAt]
	if stash == nil {
		return
	}
	written, _ := m.export(stash).(map[string]any)
	if m.call.Stash == nil {
		m.call.Stash = written
		return
	}
	clear(m.call.Stash)
	maps.Copy(m.call.Stash, written)
}
