package sim

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fairway/internal/dialect/anthropic"
	"fairway/internal/inference"
)

// check finds what is wrong with a request, in the order in which the service
// would come to it. No finding means that max_tokens and messages are there and
// every value is in range.
func check(model inference.Model, r *anthropic.Request) []finding {
	major, minor := anthropic.Generation(string(model.ID))
	c := &checker{model: model, generation: major*100 + minor, r: r}
	c.keys()
	if len(c.found) > 0 {
		return c.found
	}
	c.sampling()
	c.messages()
	c.tools()
	c.thinking()
	c.maxTokens()
	return c.found
}

// checker collects findings.
type checker struct {
	model      inference.Model
	generation int // 305 is Claude 3.5, 400 is Claude 4
	r          *anthropic.Request
	found      []finding
}

func (c *checker) add(f finding) { c.found = append(c.found, f) }

func (c *checker) native(format string, args ...any) {
	c.add(finding{native: fmt.Sprintf(format, args...)})
}

func (c *checker) keys() {
	if c.r.AnthropicVersion == nil {
		c.add(missing("", "anthropic_version"))
	}
	if c.r.MaxTokens == nil {
		c.add(missing("", "max_tokens"))
	}
	if c.r.Messages == nil {
		c.add(missing("", "messages"))
	}
	var extra []string
	if c.r.Model != nil {
		extra = append(extra, "model")
	}
	if c.r.Stream != nil {
		extra = append(extra, "stream")
	}
	if c.r.Thinking != nil && c.generation < firstThinking {
		extra = append(extra, "thinking")
	}
	extra = append(extra, c.r.Unknown...)
	if len(extra) > 0 && c.r.Messages != nil && c.generation < firstNative {
		c.add(finding{schema: `subject must not be valid against schema {"required":["messages"]}`})
	}
	for _, key := range extra {
		c.add(extraneous(key))
	}
	if v := c.r.AnthropicVersion; v != nil && *v != anthropic.Version {
		c.add(finding{
			path:   "anthropic_version",
			schema: clip(*v, maxItemRunes) + " is not a valid enum value",
			native: "anthropic_version: Input should be '" + anthropic.Version + "'",
		})
	}
}

func (c *checker) sampling() {
	c.within("temperature", c.r.Temperature, 0, 1)
	c.within("top_p", c.r.TopP, 0, 1)
	if k := c.r.TopK; k != nil {
		f := float64(*k)
		c.within("top_k", &f, 0, 500)
	}
	if slices.Contains(oneSampler, c.model.ID) && c.r.Temperature != nil && c.r.TopP != nil {
		c.native(twoSamplers)
	}
	if n := len(c.r.StopSequences); n > maxStopSequences {
		c.add(finding{
			path:   "stop_sequences",
			schema: fmt.Sprintf("expected maximum item count: %d, found: %d", maxStopSequences, n),
			native: fmt.Sprintf("stop_sequences: List should have at most %d items after validation, not %d", maxStopSequences, n),
		})
	}
	for _, s := range c.r.StopSequences {
		if strings.TrimSpace(s) == "" {
			c.native(blankStopSequence)
			break
		}
	}
}

// maxStopSequences is of the User Guide's page of the format.
const maxStopSequences = 8191

func (c *checker) within(key string, value *float64, low, high float64) {
	switch {
	case value == nil:
	case *value < low:
		c.add(below(key, *value, low))
	case *value > high:
		c.add(above(key, *value, high))
	}
}

func (c *checker) maxTokens() {
	n, limit := *c.r.MaxTokens, c.model.MaxOutput
	switch {
	case n < 1:
		c.add(below("max_tokens", float64(n), 1))
	case limit > 0 && (n > limit || n == limit && c.model.MaxOutputExcl):
		c.native(aboveModelLimit, limit, limit)
	}
}

// checkWindow finds a call that the model's context cannot hold; the empty
// string is none. It comes after check because it needs the count.
func (c *call) checkWindow() string {
	major, minor := anthropic.Generation(string(c.model.ID))
	generation, window, output := major*100+minor, c.model.ContextWindow, c.asked()
	switch {
	case window <= 0:
		return ""
	case c.input > window:
		return inputTooLong
	case generation >= firstNative && generation < firstPastWindow && c.input+output > window:
		return fmt.Sprintf(aboveWindow, c.input, output, window)
	}
	return ""
}

// toolName is what a tool may be called.
var toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)

func (c *checker) tools() {
	names := map[string]bool{}
	for i, t := range c.r.Tools {
		if !t.Custom() {
			names[t.Name] = true
			continue
		}
		c.tool("tools."+strconv.Itoa(i)+".custom", t)
		if t.Name != "" && names[t.Name] {
			c.native("tools: Tool names must be unique.")
		}
		names[t.Name] = true
	}
	c.toolChoice(names)
}

func (c *checker) tool(path string, t anthropic.Tool) {
	switch {
	case t.Name == "":
		c.add(missing(path, "name"))
	case !toolName.MatchString(t.Name):
		c.native("%s.name: String should match pattern '%s'", path, toolName)
	}
	var schema struct{ Type json.RawMessage }
	switch {
	case t.InputSchema == nil:
		c.add(missing(path, "input_schema"))
	case json.Unmarshal(t.InputSchema, &schema) != nil || schema.Type == nil:
		c.add(missing(path+".input_schema", "type"))
	case string(schema.Type) != `"object"`:
		c.native("%s.input_schema.type: Input should be 'object'", path)
	}
}

func (c *checker) toolChoice(names map[string]bool) {
	choice := c.r.ToolChoice
	switch {
	case choice == nil:
	case !slices.Contains([]string{"auto", "any", "tool", "none"}, choice.Type):
		c.add(badTag("tool_choice", choice.Type, "'any', 'auto', 'none', 'tool'"))
	case len(c.r.Tools) == 0 && choice.Type != "none":
		c.native("tool_choice: tool_choice may only be specified while providing tools.")
	case choice.Type == "tool" && choice.Name == "":
		c.add(missing("tool_choice.tool", "name"))
	case choice.Type == "tool" && !names[choice.Name]:
		c.native("Tool '%s' not found in provided tools", clip(choice.Name, maxItemRunes))
	}
}

func (c *checker) thinking() {
	t := c.r.Thinking
	if t == nil {
		return
	}
	switch t.Type {
	case "disabled":
	case "adaptive":
		if c.generation < firstAdaptive {
			c.native(noAdaptive)
		}
	case "enabled":
		c.budget(t.BudgetTokens)
		c.besideThinking()
	default:
		c.add(badTag("thinking", t.Type, "'adaptive', 'disabled', 'enabled'"))
	}
}

// minBudget is Anthropic's smallest thinking budget in tokens.
const minBudget = 1024

func (c *checker) budget(budget *int) {
	switch {
	case budget == nil:
		c.add(missing("thinking.enabled", "budget_tokens"))
	case *budget < minBudget:
		c.add(below("thinking.enabled.budget_tokens", float64(*budget), minBudget))
	case *budget >= *c.r.MaxTokens:
		c.native(budgetAboveMaxTokens)
	}
}

func (c *checker) besideThinking() {
	if t := c.r.Temperature; t != nil && *t != 1 {
		c.native(thinkingTemperature)
	}
	if choice := c.r.ToolChoice; choice != nil && (choice.Type == "any" || choice.Type == "tool") {
		c.native(thinkingForcedTool)
	}
	if _, prefilled := c.r.Prefill(); prefilled && c.model.Prefill {
		c.native(thinkingPrefill, len(c.r.Messages)-1)
	}
}
