package outputs

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// object is a JSON object that keeps the order of its members.
type object []member

type member struct {
	name  string
	value json.RawMessage
}

// set adds the member, or replaces its value.
func (o *object) set(name string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if i := o.index(name); i >= 0 {
		(*o)[i].value = raw
		return nil
	}
	*o = append(*o, member{name, raw})
	return nil
}

// add is set, but that the members of an object are added to one that is there.
func (o *object) add(name string, value any) error {
	var inner object
	members, isObject := value.(map[string]any)
	if i := o.index(name); i < 0 || !isObject || json.Unmarshal((*o)[i].value, &inner) != nil {
		return o.set(name, value)
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if err := inner.set(key, members[key]); err != nil {
			return err
		}
	}
	return o.set(name, inner)
}

func (o object) index(name string) int {
	return slices.IndexFunc(o, func(m member) bool { return m.name == name })
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(m.value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// UnmarshalJSON reads an object. Of members with the same name the last one counts.
func (o *object) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		return errors.New("want a JSON object")
	}
	*o = nil
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		if err := o.set(name.(string), value); err != nil {
			return err
		}
	}
	return nil
}
