package rpc

import (
	"encoding/base64"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const defaultPageSize = 100

// pageToken is where a list goes on. It is no secret: it names a row that the
// caller has seen, and the lists are filtered whatever it says.
type pageToken struct {
	// List is what is listed, with its filters; a token fits no other list.
	List string    `json:"l"`
	Name string    `json:"n"`
	ID   uuid.UUID `json:"i"`
}

func fromPage(list string, page *adminv1.Page) (readmodel.Cursor, int, error) {
	size := int(page.GetSize())
	if size == 0 {
		size = defaultPageSize
	}
	if page.GetToken() == "" {
		return readmodel.Cursor{}, size, nil
	}
	var token pageToken
	text, err := base64.RawURLEncoding.DecodeString(page.GetToken())
	if err == nil {
		err = json.Unmarshal(text, &token)
	}
	if err != nil || token.List != list {
		return readmodel.Cursor{}, 0, fault.Field("page.token", "it is not of this list")
	}
	return readmodel.Cursor{Name: token.Name, ID: token.ID}, size, nil
}

func toPageToken(list string, next *readmodel.Cursor) (string, error) {
	if next == nil {
		return "", nil
	}
	text, err := json.Marshal(pageToken{List: list, Name: next.Name, ID: next.ID})
	return base64.RawURLEncoding.EncodeToString(text), err
}
