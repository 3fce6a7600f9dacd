package proxy_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"

	"github.com/weirhq/weir/dataplane/llmtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func responseParams(route string) responses.ResponseNewParams {
	return responses.ResponseNewParams{Model: route, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("how much water passed")}}
}

func TestSDKResponses(t *testing.T) {
	for name, h := range map[string]*harness{"openai": toModel(t, "gpt-4o"), "anthropic": claude(t, toSonnet)} {
		t.Run(name, func(t *testing.T) {
			client := h.client(goodKey)
			whole, err := client.Responses.New(t.Context(), responseParams("routed"))
			if err != nil {
				t.Fatal(err)
			}
			if whole.OutputText() == "" || whole.Status != "completed" || whole.Usage.OutputTokens != 20 || whole.Usage.InputTokens == 0 {
				t.Errorf("answer %s", whole.RawJSON())
			}
			stream := client.Responses.NewStreaming(t.Context(), responseParams("routed"))
			var text strings.Builder
			var last responses.ResponseStreamEventUnion
			for stream.Next() {
				last = stream.Current()
				text.WriteString(last.AsResponseOutputTextDelta().Delta)
			}
			if end := last.AsResponseCompleted().Response; stream.Err() != nil || !strings.HasSuffix(text.String(), whole.OutputText()) ||
				end.OutputText() != whole.OutputText() || end.Usage.OutputTokens != 20 {
				t.Errorf("streamed %q, then %s, %v; whole %q", text.String(), last.RawJSON(), stream.Err(), whole.OutputText())
			}
		})
	}
}

func TestSDKEmbeddings(t *testing.T) {
	h := newHarness(t)
	client := h.client(goodKey)
	answer, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: "chat", Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"how much", "water"}}})
	if err != nil || len(answer.Data) != 2 || answer.Usage.PromptTokens != 3 {
		t.Fatalf("%+v %v", answer, err)
	}
	for i, x := range llmtest.Vector("water", 8) {
		if float32(answer.Data[1].Embedding[i]) != x {
			t.Errorf("vector %v", answer.Data[1].Embedding)
		}
	}
	wantEnding(t, h, ending{answered, 200, "", reported, &usagev1.TokenUsage{Input: 3}, 3 * 2_500})
}

func TestSDKCompletions(t *testing.T) {
	h := newHarness(t)
	client := h.client(goodKey)
	params := openai.CompletionNewParams{Model: "chat", Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("how much")}}
	whole, err := client.Completions.New(t.Context(), params)
	if err != nil || whole.Usage.CompletionTokens != 16 {
		t.Fatalf("%+v %v", whole, err)
	}
	stream := client.Completions.NewStreaming(t.Context(), params)
	text := ""
	for stream.Next() {
		if len(stream.Current().Choices) != 1 {
			t.Errorf("an event that was not asked for: %s", stream.Current().RawJSON())
			continue
		}
		text += stream.Current().Choices[0].Text
	}
	if stream.Err() != nil || text != whole.Choices[0].Text {
		t.Errorf("streamed %q, whole %q, %v", text, whole.Choices[0].Text, stream.Err())
	}
}

func TestSDKImages(t *testing.T) {
	h := toModel(t, "gpt-image-1")
	client := h.client(goodKey)
	picture := base64.StdEncoding.EncodeToString(llmtest.Image("a weir"))
	whole, err := client.Images.Generate(t.Context(), openai.ImageGenerateParams{Model: "routed", Prompt: "a weir"})
	if err != nil || len(whole.Data) != 1 || whole.Data[0].B64JSON != picture || whole.Usage.OutputTokens != 272 {
		t.Fatalf("%+v %v", whole, err)
	}
	stream := client.Images.GenerateStreaming(t.Context(), openai.ImageGenerateParams{Model: "routed", Prompt: "a weir", PartialImages: openai.Int(1)})
	var kinds []string
	for stream.Next() {
		kinds = append(kinds, stream.Current().Type)
	}
	if stream.Err() != nil || !slices.Equal(kinds, []string{"image_generation.partial_image", "image_generation.completed"}) {
		t.Errorf("%v %v", kinds, stream.Err())
	}
	edited, err := client.Images.Edit(t.Context(), openai.ImageEditParams{Model: "routed", Prompt: "wider",
		Image: openai.ImageEditParamsImageUnion{OfFile: openai.File(bytes.NewReader(llmtest.Image("a weir")), "weir.png", "image/png")}})
	if err != nil || len(edited.Data) != 1 || edited.Usage.InputTokensDetails.ImageTokens == 0 {
		t.Fatalf("%+v %v", edited, err)
	}
}

func TestSDKAudio(t *testing.T) {
	h := newHarness(t)
	client := h.client(goodKey)
	speech, err := client.Audio.Speech.New(t.Context(), openai.AudioSpeechNewParams{Model: "dear", Input: "how much", Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: param.NewOpt("alloy")}})
	if err != nil {
		t.Fatal(err)
	}
	defer speech.Body.Close()
	sound, err := io.ReadAll(speech.Body)
	if err != nil || !bytes.Equal(sound, append(llmtest.Speech("how"), llmtest.Speech("much")...)) || speech.Header.Get("Content-Type") != "audio/mpeg" {
		t.Errorf("%d bytes of %s, %v", len(sound), speech.Header.Get("Content-Type"), err)
	}
	params := func() openai.AudioTranscriptionNewParams {
		return openai.AudioTranscriptionNewParams{Model: "dear", File: openai.File(bytes.NewReader(sound), "how.mp3", "audio/mpeg")}
	}
	text, err := client.Audio.Transcriptions.New(t.Context(), params())
	if err != nil || text.Text != llmtest.Transcript(sound) {
		t.Fatalf("%+v %v", text, err)
	}
	stream := client.Audio.Transcriptions.NewStreaming(t.Context(), params())
	last := ""
	for stream.Next() {
		last = stream.Current().AsTranscriptTextDone().Text
	}
	if stream.Err() != nil || last != llmtest.Transcript(sound) {
		t.Errorf("%q %v", last, stream.Err())
	}
	translated, err := client.Audio.Translations.New(t.Context(), //nolint:staticcheck // callers still have it
		openai.AudioTranslationNewParams{Model: "dear", File: openai.File(bytes.NewReader(sound), "how.mp3", "audio/mpeg")})
	if err != nil || translated.Text != llmtest.Transcript(sound) {
		t.Errorf("%+v %v", translated, err)
	}
}

func TestSDKModerations(t *testing.T) {
	h := newHarness(t)
	client := h.client(goodKey)
	answer, err := client.Moderations.New(t.Context(), openai.ModerationNewParams{Model: "chat", Input: openai.ModerationNewParamsInputUnion{OfString: openai.String("how much")}})
	if err != nil || len(answer.Results) != 1 || answer.Results[0].Flagged {
		t.Fatalf("%+v %v", answer, err)
	}
}

func TestSDKSeesWhatIsNotServed(t *testing.T) {
	h := newHarness(t)
	client := h.client(goodKey)
	var refused *openai.Error
	if _, err := client.Files.List(t.Context(), openai.FileListParams{}); !errors.As(err, &refused) || refused.StatusCode != 404 || refused.Code != "unsupported_surface" {
		t.Errorf("files: %v", err)
	}
	if _, err := client.Responses.Get(t.Context(), "resp_1", responses.ResponseGetParams{}); !errors.As(err, &refused) || refused.Code != "unsupported_surface" {
		t.Errorf("a stored response: %v", err)
	}
	params := responseParams("chat")
	params.Background = openai.Bool(true)
	if _, err := client.Responses.New(t.Context(), params); !errors.As(err, &refused) || refused.StatusCode != 400 || refused.Code != "unsupported_field" || refused.Param != "background" {
		t.Errorf("in the background: %v", err)
	}
}

func TestSDKSeesRateLimits(t *testing.T) {
	h := newHarness(t)
	client := h.client(goodKey)
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 429})
	var refused *openai.Error
	_, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: "chat", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("x")}})
	if !errors.As(err, &refused) || refused.StatusCode != 429 || refused.Code != "rate_limit_exceeded" {
		t.Errorf("%v", err)
	}
	wantEnding(t, h, ending{upstreamError, 429, "upstream_error", none, noTokens, 0})
}
