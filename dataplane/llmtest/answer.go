package llmtest

import (
	"encoding/json"
	"hash/fnv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tokens are words: a maximal run of characters that are not white space. A prompt costs, as with OpenAI's chat
// format, 3 tokens for each message and 3 for the answer's opening, besides the words of its text parts.
const (
	tokensPerMessage = 3
	tokensPerPrompt  = 3
)

var vocabulary = strings.Fields(`the water comes down from the hills and meets the weir which lets it through
	keeps its level and measures its flow a gauge beside the gate writes every hour what has passed so that those
	downstream know how much to expect and those upstream know how much they sent`)

// encodedVocabulary holds each word as a JSON string, with and without the space that divides it from the word before.
var encodedVocabulary = encodeVocabulary()

type encodedWord struct{ first, later []byte }

func encodeVocabulary() []encodedWord {
	words := make([]encodedWord, len(vocabulary))
	for i, word := range vocabulary {
		words[i].first, _ = json.Marshal(word)
		words[i].later, _ = json.Marshal(" " + word)
	}
	return words
}

// Answer is the text for the last user message, of the given number of tokens, in the choice of the given index.
func Answer(message string, choice, tokens int) string {
	var b strings.Builder
	first := firstWord(message)
	for i := range tokens {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(vocabulary[wordIndex(first, choice, i)])
	}
	return b.String()
}

func firstWord(message string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(message))
	return int(h.Sum32() % uint32(len(vocabulary)))
}

// wordIndex is where a choice's token stands in the vocabulary: choices begin 7 words apart.
func wordIndex(first, choice, token int) int { return (first + 7*choice + token) % len(vocabulary) }

// CountWords is the number of tokens of a text.
func CountWords(text string) int {
	count, inside := 0, false
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		i += size
		space := unicode.IsSpace(r)
		if !space && !inside {
			count++
		}
		inside = !space
	}
	return count
}
