package price

// PricesImages tells whether images cost other than the text around them, or by the image:
// then tokens alone don't tell what an attempt costs, unless those of images are apart.
func (e *Entry) PricesImages() bool {
	if e == nil {
		return false
	}
	images := e.perImage != unknown || e.standard.pricesImages()
	for i := range e.tiers {
		images = images || e.tiers[i].pricesImages()
	}
	return images
}

func (s *rateSet) pricesImages() bool {
	return s.rates[inputImage] != unknown || s.rates[outputImage] != unknown ||
		s.long[inputImage] != unknown || s.long[outputImage] != unknown
}
