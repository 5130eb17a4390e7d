package openai

import (
	"encoding/json"
	"reflect"
	"strconv"
)

// fields are the members that an object may have, each with where its value goes:
// a pointer as for json.Unmarshal, only, or nil to read over it. A member that is
// null is not given.
type fields map[string]any

// only are the values, as encoding/json decodes them, that ask for nothing: what a
// member may say that the conversation has no place for.
type only []any

// read takes every member of the object at path. Errors are Validation with a
// *ParameterError.
func (f fields) read(path string, object json.RawMessage) error {
	if object[0] != '{' {
		return refuseType(path, "an object", object)
	}
	for m := range members(object) {
		if err := f.take(path, m); err != nil {
			return err
		}
	}
	return nil
}

func (f fields) take(path string, m member) error {
	target, known := f[m.name]
	name := join(path, m.name)
	if !known {
		return refuse(clip(name), "unknown_parameter", "Unknown parameter: '"+clip(name)+"'.")
	}
	if target == nil || string(m.value) == "null" {
		return nil
	}
	if neutral, ok := target.(only); ok {
		return neutral.check(name, m.value)
	}
	if err := json.Unmarshal(m.value, target); err != nil {
		return refuseType(name, wanted(target), m.value)
	}
	return nil
}

func (o only) check(name string, value json.RawMessage) error {
	if len(o) == 0 {
		return refuseUnsupported(name, "")
	}
	var given any
	_ = json.Unmarshal(value, &given) // valid JSON; a number out of range is no neutral value
	for _, neutral := range o {
		if reflect.DeepEqual(given, neutral) {
			return nil
		}
	}
	text, err := json.Marshal(o[0])
	if err != nil {
		panic(err) // plain values always encode
	}
	return refuse(name, "unsupported_value", "Unsupported value: '"+name+"' does not support "+clip(string(value))+
		" with this model. Only the default ("+string(text)+") value is supported.")
}

// wanted names the type that a target takes, as OpenAI's texts do.
func wanted(target any) string {
	switch target.(type) {
	case *string, **string:
		return "a string"
	case *bool:
		return "a boolean"
	case **int:
		return "an integer"
	case **float64:
		return "a decimal number"
	default:
		return "an object"
	}
}

// maxLength bounds every array of a request but those inside a schema.
const maxLength = 10_000

// list calls each with the path and the text of every element of the array at path.
func list(path string, array json.RawMessage, each func(path string, element json.RawMessage) error) error {
	if array[0] != '[' {
		return refuseType(path, "an array", array)
	}
	for i, element := range elements(array) {
		if i == maxLength {
			return refuse(path, "array_above_max_length", "Invalid '"+path+"': array too long. Expected an array with maximum length "+
				strconv.Itoa(maxLength)+".")
		}
		if err := each(path+"["+strconv.Itoa(i)+"]", element); err != nil {
			return err
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
