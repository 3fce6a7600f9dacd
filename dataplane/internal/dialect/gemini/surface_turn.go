package gemini

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

// turns joins what a stream took apart: Google's SDKs send an answer back as its chunks
// came, each word a part, or a content, of its own. Other dialects would take them for
// paragraphs, for turns, and thinking for something else than was signed.
func turns(messages []chat.Message) []chat.Message {
	whole := messages[:0]
	for _, message := range messages {
		last := len(whole) - 1
		if message.Role == chat.Assistant && last >= 0 && whole[last].Role == chat.Assistant {
			whole[last].Parts = append(whole[last].Parts, message.Parts...)
			continue
		}
		whole = append(whole, message)
	}
	for i := range whole {
		if whole[i].Role == chat.Assistant {
			whole[i].Parts = joined(whole[i].Parts)
		}
	}
	return whole
}

// joined makes one of texts that follow each other, and of thoughts: a signature ends one.
func joined(parts []chat.Part) []chat.Part {
	whole := parts[:0]
	for _, part := range parts {
		if last := len(whole) - 1; last >= 0 && goesOn(&whole[last], &part) {
			whole[last].Text += part.Text
			whole[last].Signature = part.Signature
			continue
		}
		whole = append(whole, part)
	}
	return whole
}

func goesOn(last, part *chat.Part) bool {
	return last.Kind == part.Kind && (part.Kind == chat.Text || part.Kind == chat.Thinking) && last.Signature == ""
}
