package sim

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/converse"
)

// What Converse says, marked as in texts.go. It checks a conversation before any
// model sees it; what the model itself refuses comes with fromModel before it.
const (
	userFirst = converse.UserFirst                                                                                 // [V]
	userLast  = "The model that you are using requires the last turn in the conversation to be a user message. " + // [V] Llama 3 (i-am-bee/beeai-framework#753)
		"Add a user message to the conversation and try again."
	turnsAlternate = "A conversation must alternate between user and assistant roles. Make sure the conversation alternates " + // [V]
		"between user and assistant roles and try again."
	emptyContent     = "The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the content field and try again." // [V]
	blankText        = "The text field in the ContentBlock object at messages.%d.content.%d is blank. Add text to the text field, and try again."       // [V]
	textForDocuments = "A text block must be included when using documents."                                                                            // [V]
	noToolConfig     = "The toolConfig field must be defined when using toolUse and toolResult content blocks."                                         // [V]
	tooManyResults   = "The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of previous turn."                  // [V]
	resultsMissing   = "Expected toolResult blocks at messages.%d.content for the following Ids: %s"                                                    // [M]
	outOfRange       = "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have value %s than or equal to %d"    // [M]
	unknownTool      = "The toolChoice field names a tool that is not in the toolConfig field: %s"                                                      // ours

	fromModel = "The model returned the following errors: " // [M]
)

// firstMerging is the Claude generation from which Converse takes several turns of
// one role in a row; seen with Claude Opus 4.8.
const firstMerging = 407

// checkConverse finds what is wrong with a Converse call. The error is Validation.
func (c *call) checkConverse() error {
	for _, check := range []func() error{
		c.checkRanges, c.checkTurns, c.checkBlocks, c.checkToolTurns, c.checkToolChoice, c.checkMaxTokens, c.checkThinking, c.checkAdditional, c.checkEnd,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) generation() int {
	major, minor := anthropic.Generation(string(c.model.ID))
	return major*100 + minor
}

func (c *call) checkRanges() error {
	asked := func(n *int) *float64 {
		if n == nil {
			return nil
		}
		f := float64(*n)
		return &f
	}
	for _, member := range []struct {
		path      string
		value     *float64
		low, high float64
	}{
		{"inferenceConfig.maxTokens", asked(c.conversation.MaxTokens), 1, math.Inf(1)},
		{"inferenceConfig.temperature", c.conversation.Temperature, 0, 1},
		{"inferenceConfig.topP", c.conversation.TopP, 0, 1},
	} {
		switch {
		case member.value == nil:
		case *member.value < member.low:
			return invalid(fmt.Sprintf(outOfRange, number(*member.value), member.path, "greater", int(member.low)))
		case *member.value > member.high:
			return invalid(fmt.Sprintf(outOfRange, number(*member.value), member.path, "less", int(member.high)))
		}
	}
	return nil
}

func (c *call) checkTurns() error {
	messages := c.conversation.Messages
	switch {
	case len(messages) == 0 || messages[0].Role != dialect.User:
		return invalid(userFirst)
	case c.model.ID.IsAnthropic() && c.generation() >= firstMerging:
		return nil
	}
	for i := 1; i < len(messages); i++ {
		if messages[i].Role == messages[i-1].Role {
			return invalid(turnsAlternate)
		}
	}
	return nil
}

func (c *call) checkBlocks() error {
	for i, m := range c.conversation.Messages {
		if len(m.Content) == 0 {
			return invalid(fmt.Sprintf(emptyContent, i))
		}
		var text, document bool
		for j, b := range m.Content {
			if b.Type == dialect.Text && strings.TrimSpace(b.Text) == "" {
				return invalid(fmt.Sprintf(blankText, i, j))
			}
			text = text || b.Type == dialect.Text
			document = document || b.Type == dialect.Document
		}
		if document && !text {
			return invalid(textForDocuments)
		}
	}
	return nil
}

// checkToolTurns wants the calls of each assistant turn answered in the next one.
func (c *call) checkToolTurns() error {
	var asked []string // ids of the turn before
	for i, m := range c.conversation.Messages {
		calls, results := toolIDs(m, dialect.ToolUse), toolIDs(m, dialect.ToolResult)
		switch {
		case len(calls)+len(results) > 0 && len(c.conversation.Tools) == 0:
			return invalid(noToolConfig)
		case len(results) > len(asked):
			return invalid(fmt.Sprintf(tooManyResults, i))
		}
		answered := map[string]bool{}
		for _, id := range results {
			answered[id] = true
		}
		missing := slices.DeleteFunc(asked, func(id string) bool { return answered[id] })
		if len(missing) > 0 {
			return invalid(fmt.Sprintf(resultsMissing, i, clip(strings.Join(missing, ", "), maxQuote)))
		}
		asked = calls
	}
	return nil
}

func toolIDs(m dialect.Message, kind dialect.BlockType) (ids []string) {
	for _, b := range m.Content {
		if b.Type == kind {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

func (c *call) checkToolChoice() error {
	choice := c.conversation.ToolChoice
	if choice == nil || choice.Mode != dialect.OneTool {
		return nil
	}
	if firstTool(c.conversation, func(t *dialect.Tool) bool { return t.Name == choice.Name }) == nil {
		return invalid(fmt.Sprintf(unknownTool, clip(choice.Name, maxItemRunes)))
	}
	return nil
}

// checkThinking finds what Claude has against the way it is to sample and think;
// no other model knows the member.
func (c *call) checkThinking() error {
	asked := c.conversation
	if slices.Contains(oneSampler, c.model.ID) && asked.Temperature != nil && asked.TopP != nil {
		return invalid(fromModel + twoSamplers)
	}
	t := asked.Thinking
	switch {
	case t == nil || t.Mode == "" || t.Mode == "disabled":
		return nil
	case !c.model.ID.IsAnthropic() || c.generation() < firstThinking:
		return invalid(schemaVoice.say(extraneous("thinking")))
	case t.Mode == "adaptive" && c.generation() < firstAdaptive:
		return invalid(fromModel + noAdaptive)
	case t.Mode == "adaptive":
		return nil
	case t.Budget == nil:
		return invalid(fromModel + missing("thinking.enabled", "budget_tokens").native)
	case *t.Budget < minBudget:
		return invalid(fromModel + below("thinking.enabled.budget_tokens", float64(*t.Budget), minBudget).native)
	case asked.MaxTokens != nil && *t.Budget >= *asked.MaxTokens:
		return invalid(fromModel + budgetAboveMaxTokens)
	case asked.Temperature != nil && *asked.Temperature != 1:
		return invalid(fromModel + thinkingTemperature)
	case asked.ToolChoice != nil && (asked.ToolChoice.Mode == dialect.AnyTool || asked.ToolChoice.Mode == dialect.OneTool):
		return invalid(fromModel + thinkingForcedTool)
	}
	return nil
}

// checkAdditional finds members that Claude's own body does not have.
func (c *call) checkAdditional() error {
	if c.conversation.Extra == nil || !c.model.ID.IsAnthropic() {
		return nil
	}
	var found finding
	r, err := anthropic.Decode(c.conversation.Extra)
	wrong, mistyped := errors.AsType[*anthropic.TypeError](err)
	switch {
	case mistyped:
		found = typeFinding(wrong)
	case err != nil:
		return invalid(malformed)
	case len(r.Unknown) == 0:
		return nil
	default:
		found = extraneous(r.Unknown[0])
	}
	if voice := voiceOf(c.model.ID); voice == schemaVoice {
		return invalid(voice.say(found))
	}
	return invalid(fromModel + found.native)
}

// checkEnd is about a trailing assistant message, which not every model continues.
// Whether one does that facts say nothing of is not known: it refuses as Llama was
// seen to.
func (c *call) checkEnd() error {
	text, prefilled := c.conversation.Prefill()
	switch {
	case !prefilled:
		return nil
	case !c.model.Prefill && c.model.ID.IsAnthropic():
		return invalid(fromModel + noPrefill)
	case !c.model.Prefill:
		return invalid(userLast)
	case !c.model.ID.IsAnthropic():
		return nil
	case c.conversation.Thinking != nil && c.conversation.Thinking.Mode == "enabled":
		return invalid(fromModel + fmt.Sprintf(thinkingPrefill, len(c.conversation.Messages)-1))
	case endsInSpace(text):
		return invalid(fromModel + trailingSpace)
	}
	return nil
}
