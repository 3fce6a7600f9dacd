package chat

// Size guesses how many bytes the body of a request has, from what most often makes it
// large.
func (r *Request) Size() int {
	size := 1 << 10
	for i := range r.Messages {
		for j := range r.Messages[i].Parts {
			part := &r.Messages[i].Parts[j]
			size += 128 + len(part.Text) + len(part.Signature)
			if part.Media != nil {
				size += len(part.Media.Data)
			}
		}
	}
	for i := range r.Tools {
		size += 128 + len(r.Tools[i].Description) + len(r.Tools[i].Schema)
	}
	return size + size/16
}
