package openai

import (
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// turns is what later messages need of earlier ones.
type turns struct {
	// begun: the conversation has, so that instructions are part of it.
	begun bool
	// results: the last message has results of tools only, and takes more parts.
	results bool
	// tools are the names of those called, by the call's id.
	tools map[string]string
	// function is the id made up for the latest function_call, which has none.
	function string
}

// message is one of the request's, its fields as they stand.
type message struct {
	at                              jsonvalue.Value
	role, name, callID              string
	content, refusal                jsonvalue.Value
	reasoning, blocks               jsonvalue.Value
	calls, functionCall             jsonvalue.Value
	hasContent, hasCalls, hasBlocks bool
}

func (r *reading) messages(v jsonvalue.Value) *chat.Fault {
	r.turns.tools = make(map[string]string)
	fault := v.Array(func(_ int, element jsonvalue.Value) *chat.Fault {
		m := message{at: element}
		if fault := r.readMessage(element, &m); fault != nil {
			return fault
		}
		return r.place(&m)
	})
	if fault == nil && len(r.request.Messages)+len(r.request.System) == 0 {
		fault = v.Fault("It must have at least one message.")
	}
	return fault
}

func (r *reading) readMessage(v jsonvalue.Value, m *message) *chat.Fault {
	return v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "role":
			return field.OneOf(&m.role, "system", "developer", "user", "assistant", "tool", "function")
		case "name":
			return field.Text(&m.name)
		case "tool_call_id":
			return field.Text(&m.callID)
		case "content":
			m.content, m.hasContent = field, true
		case "refusal":
			m.refusal = field
		case "reasoning_content", "reasoning":
			m.reasoning = field
		case "thinking_blocks":
			m.blocks, m.hasBlocks = field, true
		case "tool_calls":
			m.calls, m.hasCalls = field, true
		case "function_call":
			m.functionCall = field
		case "parsed": // what OpenAI's SDK reads in the content
		default:
			r.loseOf(field, "messages", name)
		}
		return nil
	})
}

// loseOf notes a field unless it is empty: clients send answers back whole, with
// "annotations": [].
func (r *reading) loseOf(v jsonvalue.Value, path, name string) {
	if !jsonvalue.EmptyArray(v.Raw) {
		r.lose(path, name)
	}
}

func (r *reading) place(m *message) *chat.Fault {
	switch m.role {
	case "system", "developer":
		return r.instruction(m)
	case "user":
		return r.user(m)
	case "assistant":
		return r.assistant(m)
	case "tool":
		return r.result(m)
	case "function":
		if m.callID = r.turns.function; m.callID == "" {
			return m.at.Fault("A function's result must follow a message with its function_call.")
		}
		return r.result(m)
	}
	return m.at.Child("role", nil).Fault("It must be the role of the message's author, as a string.")
}

func (r *reading) instruction(m *message) *chat.Fault {
	parts, fault := r.content(m, ofInstruction)
	if m.name != "" {
		r.request.Lossy.Add("messages.name")
	}
	if r.turns.begun {
		r.append(chat.Message{Role: chat.Instruction, Parts: parts})
		return fault
	}
	r.request.System = append(r.request.System, parts...)
	return fault
}

// append adds a turn; the results of tools are over.
func (r *reading) append(turn chat.Message) {
	r.turns.begun, r.turns.results = true, false
	r.request.Messages = append(r.request.Messages, turn)
}

// user's words follow the results of tools in the same turn.
func (r *reading) user(m *message) *chat.Fault {
	parts, fault := r.content(m, ofUser)
	if !r.turns.results {
		r.append(chat.Message{Role: chat.User, Name: m.name, Parts: parts})
		return fault
	}
	r.turns.results = false
	turn := &r.request.Messages[len(r.request.Messages)-1]
	turn.Name, turn.Parts = m.name, append(turn.Parts, parts...)
	return fault
}

func (r *reading) result(m *message) *chat.Fault {
	if m.callID == "" {
		return m.at.Child("tool_call_id", nil).Fault("It must be the id of the call that this is the result of, as a string.")
	}
	parts, fault := r.content(m, ofTool)
	name := r.turns.tools[m.callID]
	if name == "" {
		name = m.name
	}
	if !r.turns.results {
		r.append(chat.Message{Role: chat.User})
		r.turns.results = true
	}
	turn := &r.request.Messages[len(r.request.Messages)-1]
	turn.Parts = append(turn.Parts, chat.Part{Kind: chat.Result, Result: &chat.ToolResult{CallID: m.callID, Name: name, Parts: parts}})
	return fault
}

// assistant's parts are in the order in which a model makes them: thinking, text, calls.
func (r *reading) assistant(m *message) *chat.Fault {
	turn := chat.Message{Role: chat.Assistant, Name: m.name}
	for _, read := range []func(*message) ([]chat.Part, *chat.Fault){
		r.thoughts,
		func(m *message) ([]chat.Part, *chat.Fault) { return r.content(m, ofAssistant) },
		r.declines,
		r.calls,
	} {
		parts, fault := read(m)
		if fault != nil {
			return fault
		}
		turn.Parts = append(turn.Parts, parts...)
	}
	if len(turn.Parts) == 0 && !m.hasContent {
		return m.at.Child("content", nil).Fault("An assistant's message needs content, a refusal or tool_calls.")
	}
	r.append(turn)
	return nil
}

func (r *reading) declines(m *message) ([]chat.Part, *chat.Fault) {
	var refusal string
	if m.refusal.Null() {
		return nil, nil
	}
	if fault := m.refusal.Text(&refusal); fault != nil || refusal == "" {
		return nil, fault
	}
	return []chat.Part{{Kind: chat.Refusal, Text: refusal}}, nil
}

func (r *reading) calls(m *message) (parts []chat.Part, fault *chat.Fault) {
	if m.hasCalls {
		fault = m.calls.Array(func(_ int, element jsonvalue.Value) *chat.Fault {
			part, fault := r.call(element)
			parts = append(parts, part)
			return fault
		})
	}
	if fault != nil || m.functionCall.Null() {
		return parts, fault
	}
	r.turns.function = "call_" + strconv.Itoa(len(r.request.Messages))
	call := &chat.ToolCall{ID: r.turns.function}
	fault = r.called(m.functionCall, call)
	return append(parts, chat.Part{Kind: chat.Call, Call: call}), fault
}

func (r *reading) call(v jsonvalue.Value) (chat.Part, *chat.Fault) {
	part := chat.Part{Kind: chat.Call, Call: &chat.ToolCall{}}
	var function jsonvalue.Value
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "id":
			return field.Text(&part.Call.ID)
		case "type":
			var kind string
			return field.OneOf(&kind, "function")
		case "function":
			function = field
		case "extra_content":
			return thoughtSignature(field, &part.Signature)
		case "index": // of a streamed call, kept by its client
		default:
			r.lose("messages.tool_calls", name)
		}
		return nil
	})
	if fault == nil && part.Call.ID == "" {
		fault = v.Child("id", nil).Fault("It must be the id of the call, as a string.")
	}
	if fault == nil {
		fault = r.called(v.Child("function", function.Raw), part.Call)
	}
	return part, fault
}

// called reads which function was called. No arguments are an empty object.
func (r *reading) called(v jsonvalue.Value, call *chat.ToolCall) *chat.Fault {
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "name":
			return field.Text(&call.Name)
		case "arguments":
			return field.Text(&call.Arguments)
		}
		return nil
	})
	if fault != nil {
		return fault
	}
	if call.Name == "" {
		return v.Child("name", nil).Fault("It must be the name of the function, as a string.")
	}
	if call.Arguments == "" {
		call.Arguments = "{}"
	}
	if _, err := jsonscan.Fields(nil, []byte(call.Arguments), nil); err != nil {
		return v.Child("arguments", nil).Fault("It must be a JSON object, written as a string.")
	}
	r.turns.tools[call.ID] = call.Name
	return nil
}
