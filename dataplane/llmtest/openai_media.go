package llmtest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"strings"
)

const eventKind = "text/event-stream"

// Image is the picture for a prompt: a PNG of one pixel.
func Image(prompt string) []byte {
	h := fnv.New32a()
	_, _ = h.Write([]byte(prompt))
	picture := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	sum := h.Sum32()
	picture.SetNRGBA(0, 0, color.NRGBA{R: uint8(sum), G: uint8(sum >> 8), B: uint8(sum >> 16), A: 255})
	var b bytes.Buffer
	_ = png.Encode(&b, picture) // into memory
	return b.Bytes()
}

const (
	tokensPerImage = 272
	// tokensPerSent are of an image in a prompt.
	tokensPerSent = 194
)

// planImage serves generations, edits and variations. Models of the name gpt-image tell
// tokens and give the image itself; others give URLs unless asked.
func (s *Server) planImage(c *call) (*planned, *openAIError) {
	prompt := c.fields.Get("prompt").Str
	switch {
	case c.path != "/v1/images/variations" && prompt == "":
		return nil, missing("prompt")
	case c.path != "/v1/images/generations" && c.file == nil:
		return nil, missing("image")
	}
	n, words, sent := c.whole("n", 1), CountWords(prompt), 0
	if c.file != nil {
		sent = tokensPerSent
	}
	tells := strings.HasPrefix(c.reply.model, "gpt-image")
	encoded := base64.StdEncoding.EncodeToString(Image(prompt + string(c.file)))
	picture := `{"b64_json":"` + encoded + `"}`
	if !tells && c.fields.Get("response_format").Str != "b64_json" {
		picture = `{"url":"https://images.example/1.png"}`
	}
	usage := ""
	answer := &planned{reply: c.reply, kind: jsonKind}
	if tells {
		answer.prompt.Input = int64(words + sent)
		answer.events = []plannedEvent{{tokens: Tokens{Output: int64(n * tokensPerImage)}}}
		if c.fault().Kind != NoUsage {
			usage = fmt.Sprintf(`,"usage":{"input_tokens":%d,"input_tokens_details":{"image_tokens":%d,"text_tokens":%d},"output_tokens":%d,"total_tokens":%d}`,
				words+sent, sent, words, n*tokensPerImage, words+sent+n*tokensPerImage)
		}
	}
	answer.body = fmt.Appendf(nil, `{"created":%d,"data":[%s]%s}`, c.at, strings.TrimSuffix(strings.Repeat(picture+",", n), ","), usage)
	if answer.streamed {
		c.streamImage(answer, encoded, usage)
	}
	return answer, nil
}

func (c *call) streamImage(answer *planned, encoded, usage string) {
	kind := "image_generation"
	if c.path == "/v1/images/edits" {
		kind = "image_edit"
	}
	rest := fmt.Sprintf(`,"b64_json":"%s","created_at":%d,"background":"opaque","output_format":"png","quality":"low","size":"1024x1024"`, encoded, c.at)
	answer.kind, answer.events = eventKind, nil
	for i := range c.whole("partial_images", 0) {
		answer.events = append(answer.events, plannedEvent{raw: event(kind+".partial_image", fmt.Sprintf(`%s,"partial_image_index":%d`, rest, i))})
	}
	answer.events = append(answer.events, plannedEvent{raw: event(kind+".completed", rest+usage), tokens: Tokens{Output: tokensPerImage}})
	answer.huge = func(size int) []byte {
		return event(kind+".partial_image", `,"b64_json":"`+strings.Repeat("A", size)+`","partial_image_index":0`)
	}
}

// audioTypes are the media types of speech.
var audioTypes = map[string]string{"": "audio/mpeg", "mp3": "audio/mpeg", "opus": "audio/opus", "aac": "audio/aac",
	"flac": "audio/flac", "wav": "audio/wav", "pcm": "audio/pcm"}

const (
	bytesPerWord      = 256
	audioTokensOfWord = 5
)

// Speech is the sound of one word.
func Speech(word string) []byte {
	b := make([]byte, bytesPerWord)
	h := fnv.New32a()
	for i := range b {
		_, _ = h.Write([]byte(word))
		b[i] = byte(h.Sum32())
	}
	return b
}

// planSpeech sends the sound of each word by itself.
func (s *Server) planSpeech(c *call) (*planned, *openAIError) {
	words := strings.Fields(c.fields.Get("input").Str)
	kind, known := audioTypes[c.fields.Get("response_format").Str]
	switch {
	case len(words) == 0:
		return nil, missing("input")
	case !known:
		return nil, &openAIError{Type: "invalid_request_error", Param: "response_format", Message: "Invalid value for response_format."}
	}
	events := c.fields.Get("stream_format").Str == "sse"
	answer := &planned{reply: c.reply, kind: kind}
	answer.streamed = true
	answer.prompt.Input = int64(len(words))
	answer.failure = []byte{}
	for _, word := range words {
		raw := Speech(word)
		if events {
			raw = event("speech.audio.delta", `,"audio":"`+base64.StdEncoding.EncodeToString(raw)+`"`)
		}
		answer.events = append(answer.events, plannedEvent{raw: raw, tokens: Tokens{OutputAudio: audioTokensOfWord}})
	}
	if events {
		answer.kind, answer.failure = eventKind, nil
		usage := ""
		if c.fault().Kind != NoUsage {
			usage = fmt.Sprintf(`,"usage":{"input_tokens":%d,"output_tokens":%d,"total_tokens":%d}`,
				len(words), audioTokensOfWord*len(words), (audioTokensOfWord+1)*len(words))
		}
		answer.last = event("speech.audio.done", usage)
	}
	answer.huge = func(size int) []byte { return bytes.Repeat([]byte{'x'}, size) }
	return answer, nil
}

const (
	bytesPerSecond  = 16_000
	tokensPerSecond = 10
)

// Transcript is the text of a sound, of which a second has a word.
func Transcript(sound []byte) string {
	return Answer(string(sound), 0, 1+len(sound)/bytesPerSecond)
}

// planTranscript serves transcriptions and translations. whisper-1 is billed by time, the
// others by tokens.
func (s *Server) planTranscript(c *call) (*planned, *openAIError) {
	if c.file == nil {
		return nil, missing("file")
	}
	text, seconds := Transcript(c.file), 1+len(c.file)/bytesPerSecond
	words, prompt := CountWords(text), CountWords(c.fields.Get("prompt").Str)
	usage := fmt.Sprintf(`{"type":"duration","seconds":%d}`, seconds)
	answer := &planned{reply: c.reply, kind: jsonKind}
	if c.reply.model != "whisper-1" {
		audio := seconds * tokensPerSecond
		answer.prompt = Tokens{Input: int64(prompt), InputAudio: int64(audio)}
		usage = fmt.Sprintf(`{"type":"tokens","total_tokens":%d,"input_tokens":%d,"input_token_details":{"text_tokens":%d,"audio_tokens":%d},"output_tokens":%d}`,
			prompt+audio+words, prompt+audio, prompt, audio, words)
		answer.events = []plannedEvent{{tokens: Tokens{Output: int64(words)}}}
	}
	if c.fault().Kind == NoUsage {
		usage = "null"
	}
	switch c.fields.Get("response_format").Str {
	case "text":
		answer.kind, answer.body = "text/plain; charset=utf-8", []byte(text+"\n")
	case "srt":
		answer.kind, answer.body = "text/plain; charset=utf-8", fmt.Appendf(nil, "1\n00:00:00,000 --> 00:00:%02d,000\n%s\n\n", seconds, text)
	case "vtt":
		answer.kind, answer.body = "text/vtt; charset=utf-8", fmt.Appendf(nil, "WEBVTT\n\n00:00:00.000 --> 00:00:%02d.000\n%s\n\n", seconds, text)
	case "verbose_json":
		answer.body = fmt.Appendf(nil, `{"task":"transcribe","language":"english","duration":%d.0,"text":%s,"segments":[],"usage":%s}`, seconds, quote(text), usage)
	default:
		answer.body = fmt.Appendf(nil, `{"text":%s,"usage":%s}`, quote(text), usage)
	}
	if answer.streamed {
		streamTranscript(answer, text, usage)
	}
	return answer, nil
}

func streamTranscript(answer *planned, text, usage string) {
	answer.kind, answer.events = eventKind, nil
	for i, word := range strings.Fields(text) {
		if i > 0 {
			word = " " + word
		}
		answer.events = append(answer.events, plannedEvent{raw: event("transcript.text.delta", `,"delta":`+string(quote(word))), tokens: Tokens{Output: 1}})
	}
	answer.last = event("transcript.text.done", `,"text":`+string(quote(text))+`,"usage":`+usage)
	answer.huge = func(size int) []byte {
		return event("transcript.text.delta", `,"delta":"`+strings.Repeat("x", size)+`"`)
	}
}
