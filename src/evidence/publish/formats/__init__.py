"""The pages in other formats: Markdown, llms.txt, the sitemap, the feed."""
