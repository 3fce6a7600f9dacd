package conformance_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

// foreignTexts are of many kinds; none is favourable.
func foreignTexts() map[string]string {
	random := rand.New(rand.NewPCG(1, 2))
	noise, runes := make([]byte, 3000), make([]rune, 0, 2000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for len(runes) < cap(runes) {
		if r := rune(random.Uint32N(0x110000)); r < 0xd800 || r > 0xdfff {
			runes = append(runes, r)
		}
	}
	every := func(word string) string { return strings.Repeat(word, 60) }
	return map[string]string{
		"empty": "", "letter": "a", "english": every("How much water has passed here? "), "german": every("Donaudampfschifffahrtsgesellschaft, größer als Öl. "),
		"russian": every("Сколько воды утекло с тех пор? "), "greek": every("Πόσο νερό έχει περάσει; "), "arabic": every("كم من المياه مرت من هنا؟ "), "hebrew": every("כמה מים עברו כאן? "),
		"hindi": every("यहाँ से कितना पानी गुज़रा है? "), "tamil": every("எவ்வளவு நீர் கடந்தது? "), "thai": every("น้ำไหลผ่านไปเท่าไร "), "khmer": every("តើទឹកហូរប៉ុន្មាន "), "tibetan": every("ཆུ་ག་ཚོད་འགྲོ་སོང་། "),
		"amharic": every("ምን ያህል ውሃ አለፈ? "), "georgian": every("რამდენი წყალი გავიდა? "), "chinese": every("有多少水流过这里？"), "japanese": every("ここをどれだけの水が流れたか。"), "korean": every("물이 얼마나 흘렀을까요? "),
		"emoji": every("👩‍👩‍👧‍👦🏳️‍🌈🇪🇺🫠"), "combining": every("e\u0301a\u0308\u0323n\u0303"), "forms": every("\ufdfa½㍿ﬃ\u0958①"), "old_scripts": every("𐎠𒀀𓀀𝕬𝅘𝅥"),
		"code": every("func (r *Request) f(a []byte) (n int, err error) {\n\treturn x[i]<<3 & ^0x7f, nil // ok\n}\n"), "controls": every("\x00\x01\t\r\n\x1b[0m\u2028\u200b"),
		"special": every("<|endoftext|><|im_start|>[INST]<s></s>\n\nHuman: <0xE9>"), "spaces": every("   \n\n  \t"), "digits": every("3.14159265358979 -1e10 007 "), "quotes": every(`\"'\\\/{}[],:`),
		"base64": base64.StdEncoding.EncodeToString(noise), "noise": string(bytes.ToValidUTF8(noise, []byte("?"))), "latin1": string(noise2latin(noise)), "runes": string(runes),
	}
}

func noise2latin(noise []byte) []rune {
	runes := make([]rune, len(noise))
	for i, c := range noise {
		runes[i] = rune(c)
	}
	return runes
}

// input is one request, and what its model reads of it.
type input struct {
	name  string
	body  []byte
	parse func([]byte) (dialect.Request, *dialect.Refusal)
	reads string
	// beside are the tokens around messages that are not in reads.
	beside int64
}

// inputs are one text each, escaped as little and as much as can be.
func inputs(name, text string) (all []input) {
	raw, _ := json.Marshal(text)
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text)
	for escapes, quoted := range map[string]string{"plain": strings.TrimSpace(plain.String()), "html": string(raw), "ascii": ascii(text)} {
		// What a chat adds is of OpenAI's cookbook: 3 for each message and its role, 3 ahead of the answer.
		all = append(all,
			input{name + "/chat/" + escapes, []byte(`{"model":"m","messages":[{"role":"user","content":` + quoted + `}]}`), openai.Chat{}.Parse, "user" + text, 3 + 3},
			input{name + "/messages/" + escapes, []byte(`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":` + quoted + `}]}`), anthropic.Messages{}.Parse, "\n\nHuman: " + text + "\n\nAssistant:", 8},
			input{name + "/gemini/" + escapes, []byte(`{"contents":[{"parts":[{"text":` + quoted + `}]}]}`), gemini.Generate{}.Parse, "<start_of_turn>user\n" + text + "<end_of_turn>\n<start_of_turn>model\n", 1})
	}
	return all
}

// ascii escapes all that is not.
func ascii(text string) string {
	var b strings.Builder
	for _, c := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&b, `\u%04x`, c)
	}
	return `"` + b.String() + `"`
}

// talkative ones have many short messages, and tools: what is written around them weighs most there.
func talkative() []input {
	const turn = `{"role":"user","content":""}`
	const tool = `{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}`
	// As OpenAI's models are known to read tools.
	read := "# Tools\n\n## functions\n\nnamespace functions {\n\n" + strings.Repeat("type f = (_: {\na?: string,\n}) => any;\n\n", 20) + "} // namespace functions"
	return []input{
		{"talk/chat", []byte(`{"model":"m","messages":[` + strings.Repeat(turn+",", 499) + turn + `]}`), openai.Chat{}.Parse, strings.Repeat("user", 500), 3*500 + 3},
		{"tools/chat", []byte(`{"model":"m","messages":[` + turn + `],"tools":[` + strings.Repeat(tool+",", 19) + tool + `]}`), openai.Chat{}.Parse, "usersystem" + read, 3 + 3 + 4},
		{"tool/chat", []byte(`{"model":"m","messages":[` + turn + `],"tools":[{"type":"function","function":{"name":"f"}}]}`), openai.Chat{}.Parse,
			"usersystem# Tools\n\n## functions\n\nnamespace functions {\n\ntype f = () => any;\n\n} // namespace functions", 3 + 3 + 4},
		// 530 is the most that Anthropic published of the prompt for tools (Claude 3 Opus).
		{"tools/messages", []byte(`{"model":"m","messages":[` + turn + `],"tools":[` + strings.Repeat(tool+",", 19) + tool + `]}`), anthropic.Messages{}.Parse, strings.Repeat(tool+"\n", 20), 530 + 8},
	}
}

// TestInputBoundsTokens: no tokeniser that can be had counts more tokens than a request is
// bounded at.
func TestInputBoundsTokens(t *testing.T) {
	if _, err := os.Stat("node/node_modules/llama-tokenizer-js"); err != nil {
		t.Fatalf("the tokenisers are not installed: %s", install)
	}
	all := talkative()
	for name, text := range foreignTexts() {
		all = append(all, inputs(name, text)...)
	}
	counts := countTokens(t, all)
	least := map[string]float64{}
	for i, a := range all {
		request, refusal := a.parse(a.body)
		if refusal != nil {
			t.Fatalf("%s: %+v", a.name, refusal)
		}
		most := request.MaxInput(a.body, false)
		for tokeniser, n := range counts[i] {
			n += a.beside
			if n > most {
				t.Errorf("%s: %s counts %d tokens, the bound is %d", a.name, tokeniser, n, most)
			}
			ratio := float64(most) / float64(n)
			if was, known := least[tokeniser]; !known || ratio < was {
				least[tokeniser] = ratio
				t.Logf("%s: %s: %d of at most %d tokens, ratio %.2f", tokeniser, a.name, n, most, ratio)
			}
		}
	}
	t.Logf("%d requests; the bound is at least so many times the count: %v", len(all), least)
}

func countTokens(t *testing.T, all []input) (counts []map[string]int64) {
	t.Helper()
	reads := make([]string, len(all))
	for i := range all {
		reads[i] = all[i].reads
	}
	texts, _ := json.Marshal(reads)
	process := exec.Command("node", "tokens.mjs")
	process.Dir, process.Stdin, process.Stderr = "node", bytes.NewReader(texts), os.Stderr
	said, err := process.Output()
	if err == nil {
		err = json.Unmarshal(said, &counts)
	}
	if err != nil || len(counts) != len(all) {
		t.Fatalf("count tokens of %d texts: %v: %s", len(all), err, install)
	}
	return counts
}
