package form_test

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/openai/form"
)

const boundary = "B7"

// lines joins a form's lines.
func lines(all ...string) []byte { return []byte(strings.Join(all, "\r\n")) }

func read(body []byte) (fields []string, err *form.Error) {
	err = form.Fields(body, boundary, func(f form.Field) *form.Error {
		kind := "value"
		if f.File {
			kind = "file"
		}
		if string(body[f.At:f.At+len(f.Value)]) != string(f.Value) {
			return &form.Error{Message: "the value is not where it is said to be"}
		}
		fields = append(fields, kind, f.Name, string(f.Value))
		return nil
	})
	return fields, err
}

func TestFieldsAreFoundWhereTheyStand(t *testing.T) {
	body := lines("--B7", `Content-Disposition: form-data; name="model"`, "", "whisper-1",
		"--B7", `content-disposition: form-data; name=file; filename="a;b*.wav"; filename*=utf-8''a%3Bb.wav`, "Content-Type: audio/wav", "", "RIFF\r\n--B\r\n\r\n",
		"--B7", `Content-Disposition: form-data; name="empty"`, "", "", "--B7--", "epilogue")
	fields, err := read(body)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"value", "model", "whisper-1", "file", "file", "RIFF\r\n--B\r\n\r\n", "value", "empty", ""}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Error(diff)
	}
}

func TestMalformedFormsNameTheField(t *testing.T) {
	for name, test := range map[string]struct {
		body  []byte
		field string
	}{
		"empty":               {nil, ""},
		"another_boundary":    {lines("--B8", `Content-Disposition: form-data; name="model"`, "", "m", "--B8--"), ""},
		"line_feeds_only":     {[]byte("--B7\nContent-Disposition: form-data; name=\"model\"\n\nm\n--B7--"), ""},
		"no_end":              {lines("--B7", `Content-Disposition: form-data; name="model"`, "", "m", ""), "model"},
		"no_end_of_header":    {lines("--B7", `Content-Disposition: form-data; name="model"`), ""},
		"no_name":             {lines("--B7", `Content-Disposition: form-data`, "", "m", "--B7--"), ""},
		"no_disposition":      {lines("--B7", `Content-Type: text/plain`, "", "m", "--B7--"), ""},
		"two_dispositions":    {lines("--B7", `Content-Disposition: form-data; name="a"`, `Content-Disposition: form-data; name="b"`, "", "m", "--B7--"), ""},
		"encoded":             {lines("--B7", `Content-Disposition: form-data; name="model"`, "Content-Transfer-Encoding: base64", "", "bQ==", "--B7--"), "model"},
		"line_feed_in_header": {[]byte("--B7\r\nContent-Disposition: form-data; name=\"a\" \n\r\n\r\n\r\n--B7--"), ""},
		"no_colon":            {lines("--B7", "x", `Content-Disposition: form-data; name="a"`, "", "m", "--B7--"), ""},
		"folded":              {lines("--B7", `Content-Disposition: form-data;`, ` name="a"`, "", "m", "--B7--"), ""},
		"extended_name":       {lines("--B7", `Content-Disposition: form-data; name="model"; name*=utf-8''a`, "", "m", "--B7--"), ""},
		"extended_first":      {lines("--B7", `Content-Disposition: form-data; Name*=utf-8''a; name="model"`, "", "m", "--B7--"), ""},
		"continued_name":      {lines("--B7", `Content-Disposition: form-data; name="model";name*0="a"`, "", "m", "--B7--"), ""},
		"escaped_name":        {lines("--B7", `Content-Disposition: form-data; name="mo\del"`, "", "m", "--B7--"), ""},
		"percent_in_name":     {lines("--B7", `Content-Disposition: form-data; name="mo%64el"`, "", "m", "--B7--"), ""},
		"blank_in_name":       {lines("--B7", `Content-Disposition: form-data; name="model "`, "", "m", "--B7--"), ""},
		"text_after_boundary": {lines("--B7x", `Content-Disposition: form-data; name="model"`, "", "m", "--B7--"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := read(test.body); err == nil || err.Field != test.field || err.Message == "" {
				t.Errorf("%+v", err)
			}
		})
	}
}

func TestBoundary(t *testing.T) {
	for contentType, want := range map[string]string{
		`multipart/form-data; boundary="a b"`: "a b", "Multipart/Form-Data;boundary=x": "x",
		"multipart/form-data; boundary=x; boundary*=utf-8''y": "", "multipart/form-data; boundary=x; boundary*0=y": "",
		"multipart/form-data; boundary=x, multipart/form-data; boundary=y": "",
		"multipart/mixed; boundary=x":                                      "", "multipart/form-data": "", "application/json": "", "": "",
	} {
		if got := form.Boundary(contentType); got != want {
			t.Errorf("%q: %q, want %q", contentType, got, want)
		}
	}
}

// FuzzFields: what is taken, the standard library reads alike.
func FuzzFields(f *testing.F) {
	f.Add(lines("--B7", `Content-Disposition: form-data; name="model"`, "", "m", "--B7", `Content-Disposition: form-data; name="file"; filename="x"`, "", "\r\n\r\n--B", "--B7--"))
	f.Add(lines("", "--B7", `Content-Disposition: form-data; name="a"`, "X: y", " folded", "", "", "--B7--"))
	f.Fuzz(func(t *testing.T, body []byte) {
		ours, fault := read(body)
		if fault != nil {
			return
		}
		theirs, err := standard(body)
		if err != nil {
			t.Skip("the standard library takes less")
		}
		if diff := cmp.Diff(theirs, ours); diff != "" {
			t.Fatalf("%q: %s", body, diff)
		}
	})
}

func standard(body []byte) (fields []string, err error) {
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, err
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		kind := "value"
		if part.FileName() != "" {
			kind = "file"
		}
		fields = append(fields, kind, part.FormName(), string(value))
	}
}
