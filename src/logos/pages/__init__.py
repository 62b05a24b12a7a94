"""What the pages of logos share: colours, charts, uPlot, and how a page is put together safely."""
