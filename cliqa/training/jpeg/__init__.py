"""What training needs of JPEG: saves, histories, and the recipes of `jpeg_quality` and `jpeg_qf`."""
